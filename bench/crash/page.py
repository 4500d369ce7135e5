def render(kept, date, not_run):
    return ""
