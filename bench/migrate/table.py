"""The times as text."""

import statistics


def render(machine, contestants, times, sizes, workloads, ours, floor):
    lines = [machine, ""]
    for contestant in contestants:
        lines.append(f"{contestant.name} {contestant.version}: {contestant.set_up}")
    for workload in workloads:
        found = times.get(workload, {})
        medians = {name: statistics.median(values) for name, values in found.items()}
        peers = {name: median for name, median in medians.items() if name != ours and not name.startswith(floor)}
        fastest = min(peers.values(), default=None)
        lines += ["", sizes.describe(workload), f"{'':36} {'ms':>9}  {'from':>8} {'to':>8}  {'/ client':>8}  {'/ fastest peer':>14}"]
        for name, median in sorted(medians.items(), key=lambda pair: pair[1]):
            values = found[name]
            lines.append(
                f"{name:36} {median:9.1f}  {min(values):8.1f} {max(values):8.1f}  "
                f"{ratio(median, medians.get(floor)):>8}  {ratio(median, fastest):>14}"
            )
    return "\n".join(lines)


def ratio(value, base):
    return f"{value / base:.2f}" if base else "-"
