"""PyPI's `aurora-data-api`: Python's DB-API over the Data API. It reads a MySQL error's code out of the message."""

import datetime
import decimal
import os

import aurora_data_api
from aurora_data_api.mysql_error_codes import MySQLErrorCodes

target = {"aurora_cluster_arn": os.environ["CLUSTER_ARN"], "secret_arn": os.environ["SECRET_ARN"], "database": os.environ["DATABASE"]}
now = datetime.datetime(2024, 2, 29, 10, 11, 12)

with aurora_data_api.connect(**target) as connection, connection.cursor() as cursor:
    cursor.execute("create table person (id int auto_increment primary key, name varchar(20) unique, born date, seen timestamp null, "
                   "money decimal(12,4), ok boolean, picture blob)")
    person = {"name": "Ünïcödé", "born": now.date(), "seen": now, "money": decimal.Decimal("123456.7890"), "ok": True, "picture": b"\x00\x01"}
    cursor.execute("insert into person (name, born, seen, money, ok, picture) values (:name, :born, :seen, :money, :ok, :picture)", person)
    assert cursor.lastrowid == 1 and cursor.rowcount == 1
    cursor.executemany("insert into person (name, ok) values (:name, :ok)", [{"name": f"n{n}", "ok": n % 2 == 0} for n in range(1200)])
    cursor.execute("select name, born, seen, money, ok, picture from person where id = :id", {"id": 1})
    assert [column.name for column in cursor.description] == ["name", "born", "seen", "money", "ok", "picture"]
    assert cursor.fetchone() == ("Ünïcödé", now.date(), now, decimal.Decimal("123456.7890"), True, b"\x00\x01")
    cursor.execute("select count(*) from person where name like :pattern", {"pattern": "n%"})
    assert cursor.fetchall() == [(1200,)]
    cursor.execute("select id from person order by id limit 3")
    assert [row[0] for row in cursor] == [1, 2, 3]
    # An error of SQL leaves the transaction as it is.
    try:
        cursor.execute("selec 1")
        raise AssertionError("no syntax error")
    except aurora_data_api.MySQLError.from_code(1064) as error:
        assert "Error code: 1064" in str(error)
    cursor.execute("update person set ok = :ok where id = :id", {"ok": None, "id": 1})
    assert cursor.rowcount == 1

# It knows a code only where the SQLSTATE after it has no letters.
for code, sql in [(1062, "insert into person (name) values ('n0')"), (1406, "insert into person (name) values (repeat('x', 30))"),
                  (1048, "update person set id = null where id = 1"), (1064, "selec")]:
    try:
        with aurora_data_api.connect(**target) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
        raise AssertionError(f"{sql} was accepted")
    except aurora_data_api.DatabaseError as error:
        assert type(error) is aurora_data_api.MySQLError.from_code(MySQLErrorCodes(code)), (code, type(error), error)

try:
    with aurora_data_api.connect(**target) as connection, connection.cursor() as cursor:
        cursor.execute("delete from person")
        raise KeyError("the work fails")
except KeyError:
    pass
with aurora_data_api.connect(**target) as connection, connection.cursor() as cursor:
    cursor.execute("select count(*) from person")
    assert cursor.fetchone() == (1201,)
