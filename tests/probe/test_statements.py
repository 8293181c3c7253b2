import pytest

from dynoscope_probe.statements import fingerprint_text


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT 1", "SELECT ?"),
        ("SELECT *\n  FROM a  WHERE b = 'x''y' AND c=%s", "SELECT * FROM a WHERE b = ? AND c=?"),
        ("SELECT a FROM t WHERE id IN (1, 2,3)", "SELECT a FROM t WHERE id IN (?...)"),
        ("SELECT a FROM t WHERE id IN (%s,%s)", "SELECT a FROM t WHERE id IN (?...)"),
        ("SELECT a FROM t WHERE id IN ($1, $2)", "SELECT a FROM t WHERE id IN (?...)"),
        ("SELECT a FROM t WHERE id IN (%s)", "SELECT a FROM t WHERE id IN (?)"),
        ("INSERT INTO t VALUES (%s, %s), (%s, %s)", "INSERT INTO t VALUES (?...)"),
        ("INSERT INTO t VALUES (%s), (%s), (%s)", "INSERT INTO t VALUES (?)"),
        ("SELECT %(name)s, :other, a::int", "SELECT ?, ?, a::int"),
        ('SELECT "t1"."a9" FROM "t1"', 'SELECT "t1"."a9" FROM "t1"'),
        ("SELECT `a 1` FROM t2", "SELECT `a 1` FROM t2"),
        ("SELECT 1.5e-3, 0xFF, -7 FROM t2 WHERE x9 = 3", "SELECT ?, ?, -? FROM t2 WHERE x9 = ?"),
        ("SELECT /* user 7 */ a -- by 'bob'\nFROM t", "SELECT a FROM t"),
        ("SELECT $$a 'b' 5$$, $q$x$q$", "SELECT ?, ?"),
        (r"SELECT E'it\'s 5' FROM t", "SELECT ? FROM t"),
        ("SELECT 'never closed 123", "SELECT ?"),
        ('SAVEPOINT "s139898722331520_x10"', "SAVEPOINT ?"),
        ('RELEASE SAVEPOINT "s1_x1"', "RELEASE SAVEPOINT ?"),
        ("ROLLBACK TO SAVEPOINT sa_savepoint_1", "ROLLBACK TO SAVEPOINT ?"),
        (
            'DECLARE "_django_curs_140_sync_1" CURSOR FOR SELECT a FROM t',
            "DECLARE ? CURSOR FOR SELECT a FROM t",
        ),
        ('FETCH FORWARD (100) FROM "_django_curs_140_sync_1"', "FETCH FORWARD (?) FROM ?"),
        ("", ""),
    ],
)
def test_values_go(sql, text):
    assert fingerprint_text(sql) == text


def test_a_huge_statement_is_read_in_part():
    values = ", ".join(f"'{number:09d}'" for number in range(500_000))
    text = fingerprint_text(f"INSERT INTO t VALUES ({values})")
    assert len(text) < 16_384
    assert "0000" not in text
