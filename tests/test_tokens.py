from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, select, update

from churn.access.identities import ensure_token
from churn.access.tokens import (
    PREFIX,
    count_tokens,
    digest,
    is_mistyped,
    list_tokens,
    new_secret,
    record_use,
    revoke_token,
    verify_token,
)
from churn.core.errors import IdentityError
from churn.database.tables import tokens
from harness.identities import a_token


def test_a_token_is_known_by_its_secret(engine: Engine) -> None:
    secret = a_token(engine, "payroll")
    found = verify_token(engine, secret)
    assert found is not None
    assert (found.name, set(found.scopes)) == ("payroll", {"predict", "history"})
    assert verify_token(engine, new_secret()) is None


def test_a_secret_has_256_bits_and_only_its_digest_is_stored(engine: Engine) -> None:
    secrets = {a_token(engine, f"token {n}") for n in range(3)}
    assert len(secrets) == 3
    for secret in secrets:
        assert secret.startswith(PREFIX)
        assert len(bytes.fromhex(secret.removeprefix(PREFIX))) == 32 + 4
    with engine.connect() as connection:
        rows = connection.execute(select(tokens)).all()
    assert {row.digest for row in rows} == {digest(secret) for secret in secrets}
    assert not any(secret in str(row) for row in rows for secret in secrets)


def test_a_typo_is_told_apart_without_asking_the_database(engine: Engine) -> None:
    secret = a_token(engine)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    for position in range(len(PREFIX), len(secret)):
        other = "0" if secret[position] != "0" else "1"
        typo = secret[:position] + other + secret[position + 1 :]
        assert is_mistyped(typo)
        assert verify_token(engine, typo) is None
    for cut in (secret[:-1], secret + "0", PREFIX):
        assert verify_token(engine, cut) is None
    assert not asked
    assert verify_token(engine, secret) is not None
    assert asked


def test_a_secret_of_the_operators_own_choice_is_no_typo(engine: Engine) -> None:
    a_token(engine, secret="chosen-by-an-operator")
    assert verify_token(engine, "chosen-by-an-operator") is not None


def test_a_revoked_token_is_nobody_and_stays_in_the_list(engine: Engine) -> None:
    secret = a_token(engine, "payroll")
    with engine.begin() as connection:
        revoke_token(connection, "payroll")
    assert verify_token(engine, secret) is None
    assert [(one.name, one.state) for one in list_tokens(engine)] == [("payroll", "revoked")]
    for name in ("payroll", "nobody's"):
        with pytest.raises(IdentityError, match="there is no token"), engine.begin() as connection:
            revoke_token(connection, name)


def test_an_expired_token_is_nobody(engine: Engine) -> None:
    assert verify_token(engine, a_token(engine, "gone", lifetime=timedelta(seconds=-1))) is None
    assert verify_token(engine, a_token(engine, "still", lifetime=timedelta(days=1))) is not None
    assert [(one.name, one.state) for one in list_tokens(engine)] == [
        ("still", "active"),
        ("gone", "expired"),
    ]


def test_the_last_use_is_stored_to_the_minute(engine: Engine) -> None:
    a_token(engine)
    with engine.connect() as connection:
        key = connection.execute(select(tokens.c.id)).scalar_one()
    assert list_tokens(engine)[0].last_used_at is None
    record_use(engine, key)
    first = list_tokens(engine)[0].last_used_at
    assert first is not None
    assert abs(first - datetime.now(UTC)) < timedelta(minutes=1)
    record_use(engine, key)
    assert list_tokens(engine)[0].last_used_at == first
    with engine.begin() as connection:
        connection.execute(update(tokens).values(last_used_at=first - timedelta(hours=1)))
    record_use(engine, key)
    latest = list_tokens(engine)[0].last_used_at
    assert latest is not None
    assert latest >= first


def test_a_name_is_taken_once(engine: Engine) -> None:
    a_token(engine, "payroll")
    with pytest.raises(IdentityError, match="there is already a token 'payroll'"):
        a_token(engine, "payroll")


def test_an_unknown_scope_is_refused(engine: Engine) -> None:
    with pytest.raises(IdentityError, match="unknown scope 'root': expected some of predict"):
        a_token(engine, "payroll", scopes=["predict", "root"])


def test_ensure_keeps_a_known_secret_and_revokes_the_one_before(engine: Engine) -> None:
    other = a_token(engine, "api")
    ensure_token(engine, "api", "first-secret-of-many")
    ensure_token(engine, "api", "first-secret-of-many")
    ensure_token(engine, "api", "second-secret-of-many")
    assert count_tokens(engine) == 3
    assert verify_token(engine, "first-secret-of-many") is None
    assert verify_token(engine, "second-secret-of-many") is not None
    assert verify_token(engine, other) is not None
    with pytest.raises(IdentityError, match="API_TOKEN was revoked: set another"):
        ensure_token(engine, "api", "first-secret-of-many")
    assert verify_token(engine, "first-secret-of-many") is None
    assert verify_token(engine, "second-secret-of-many") is not None


def test_ensure_leaves_tokens_alone_whose_names_only_begin_alike(engine: Engine) -> None:
    own = [a_token(engine, name) for name in ("api-payroll", "api-payroll1", "api-0123abcd")]
    ensure_token(engine, "api", "first-secret-of-many")
    ensure_token(engine, "api", "second-secret-of-many")
    assert all(verify_token(engine, secret) for secret in own)
    assert [one.state for one in list_tokens(engine)].count("revoked") == 1
