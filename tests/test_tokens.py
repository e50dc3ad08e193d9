from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update

from churn.access.tokens import count_tokens, digest, ensure_token, issue_token, verify_token
from churn.errors import IdentityError
from churn.storage.tables import tokens


def test_a_token_is_known_by_its_secret(engine: Engine) -> None:
    secret = issue_token(engine, "payroll")
    found = verify_token(engine, secret)
    assert found is not None
    assert found.name == "payroll"
    assert verify_token(engine, secret + "x") is None


def test_a_secret_has_256_bits_and_only_its_digest_is_stored(engine: Engine) -> None:
    secrets = {issue_token(engine, f"token {n}") for n in range(3)}
    assert len(secrets) == 3
    assert {len(secret) for secret in secrets} == {43}  # 32 bytes in base64
    with engine.connect() as connection:
        rows = connection.execute(select(tokens)).all()
    assert {row.digest for row in rows} == {digest(secret) for secret in secrets}
    assert not any(secret in str(row) for row in rows for secret in secrets)


def test_a_revoked_token_is_nobody(engine: Engine) -> None:
    secret = issue_token(engine, "payroll")
    with engine.begin() as connection:
        connection.execute(update(tokens).values(revoked_at=datetime.now(UTC)))
    assert verify_token(engine, secret) is None


def test_an_expired_token_is_nobody(engine: Engine) -> None:
    assert verify_token(engine, issue_token(engine, "gone", lifetime=timedelta(seconds=-1))) is None
    assert verify_token(engine, issue_token(engine, "still", lifetime=timedelta(days=1))) is not None


def test_a_name_is_taken_once(engine: Engine) -> None:
    issue_token(engine, "payroll")
    with pytest.raises(IdentityError, match="there is already a token 'payroll'"):
        issue_token(engine, "payroll")


def test_an_unknown_scope_is_refused(engine: Engine) -> None:
    with pytest.raises(IdentityError, match="unknown scope 'admin': expected some of predict"):
        issue_token(engine, "payroll", scopes=["predict", "admin"])


def test_ensure_keeps_a_known_secret_and_revokes_the_one_before(engine: Engine) -> None:
    other = issue_token(engine, "api")
    ensure_token(engine, "api", "first-secret-of-many")
    ensure_token(engine, "api", "first-secret-of-many")
    ensure_token(engine, "api", "second-secret-of-many")
    assert count_tokens(engine) == 3
    assert verify_token(engine, "first-secret-of-many") is None
    assert verify_token(engine, "second-secret-of-many") is not None
    assert verify_token(engine, other) is not None
    ensure_token(engine, "api", "first-secret-of-many")
    assert verify_token(engine, "first-secret-of-many") is not None
    assert verify_token(engine, "second-secret-of-many") is None
