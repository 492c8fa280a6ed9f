"""Spellings that announce a secret, and spellings that only look like it."""

from __future__ import annotations

import pytest
from z4j_core.redact import Redactor, Verdict, judge
from z4j_core.redact.keys import Verdicts


def words(text):
    return sorted(set(text.split()))


SENSITIVE = words("""
password passwd pwd pass passphrase passcode secret token jwt authorization bearer cookie
credential credentials creds apikey otp totp cvv cvc ssn iban hmac mnemonic passwords secrets
tokens cookies db_password DB_PASSWORD dbPassword DBPassword db-password db.password dbpassword
password2 password_1 userPassword password_hash passwordHash new_password old-password
stripe_secret_key STRIPE_SECRET_KEY client_secret clientSecret client-secret X-Auth-Token
x_auth_token accessToken access_token ACCESS_TOKEN refreshToken refresh_token id_token
csrfmiddlewaretoken csrf_token csrfToken xsrf-token sessionToken api_key apiKey API_KEY api-key
X-API-Key xApiKey api.key access_key accessKey AWS_ACCESS_KEY_ID aws_secret_access_key private_key
privateKey secret_key encryption_key signing_key session_key master_key account_key shared_key
storage_key license_key ssh_key pgp_key hmac_key auth_key session_id sessionId sessionid SESSIONID
auth_code auth_header card_number cardNumber credit_card creditCard debit_card security_code
recovery_code recovery_codes backup_codes verification_code connection_string conn_string
database_url DATABASE_URL db_url broker_url redis_url amqp_url webhook_url tax_id national_id
bank_account account_number routing_number security_answer shared_access auth basic_auth http_auth
user_pw pin card_pin pan sid connect.sid sig dsn SENTRY_DSN seed salt pepper nonce signature
x-signature cert client_cert sas contraseña senha passwort motdepasse mot_de_passe пароль ПАРОЛЬ
密码 パスワード 비밀번호 Set-Cookie Proxy-Authorization
""")

ORDINARY = words("""
monkey secretary primary_key primaryKey foreign_key tokenizer signature_date keyboard key keys
keyword id user_id userId order_id name username user email mail address city country amount total
price currency quantity count status state type kind created_at updated_at deleted_at timestamp
date time url uri path href host hostname port method headers body query params args kwargs
payload data message subject title description text content author authors author_id authority
authored passenger passengers passage passive compass bypass card cards cardinality board_id
dashboard pincode_area pinned pinning spinner shipping shopping opinion span spanning panel pandas
company sink single since cosine single_sided seedling saltwater cookbook credit credits credited
debit_amount account account_id accounts bank banking routing route number numbers security backup
recovery connection string strings database database_name db redis broker webhook tax national
answer shared access accessed session sessions code codes barcode zipcode encoding certificate_url
certify concert sort_key cache_key partition_key routing_key object_key lookup_key key_id keyframe
hash digest checksum md5 sha256 etag uuid guid slug locale language timezone version worker queue
task task_id parent_id root_id eta retries priority attempt delay expires signal sigma design
assign signatory designer basket sas_report_x tokyo
""")


@pytest.mark.parametrize("key", SENSITIVE)
def test_a15_a_sensitive_spelling_is_never_missed(key):
    assert judge(key) is not Verdict.OPEN


@pytest.mark.parametrize("key", ORDINARY)
def test_a15_an_ordinary_spelling_is_never_masked(key):
    assert judge(key) is Verdict.OPEN


@pytest.mark.parametrize(
    "key",
    [
        "pass\u200bword",
        "p\u200da\u200bssword",
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44",
        "\uff41\uff50\uff49\uff3f\uff4b\uff45\uff59",
        "contrasen\u0303a",
        "\u2060token",
    ],
)
def test_invisible_and_full_width_characters_hide_nothing(key):
    assert judge(key) is Verdict.SECRET


def test_a_secret_word_at_the_end_of_an_endless_key_is_seen():
    assert judge("x" * 100_000 + "_password") is Verdict.SECRET
    assert judge("password_" + "x" * 100_000) is Verdict.SECRET


@pytest.mark.parametrize(
    "key",
    ["max_tokens", "token_ttl", "total_tokens", "password_length", "tokens_used", "secret_count"],
)
def test_what_counts_tokens_may_show_numbers(key):
    assert judge(key) is Verdict.COUNT
    assert Redactor().preview_kwargs({key: 512})[2] == f'{{"{key}":512}}'
    assert "512" not in Redactor().preview_kwargs({key: "512"})[2]


@pytest.mark.parametrize("key", ["pin", "cvv", "card_number", "otp", "token", "ssn"])
def test_a_number_that_is_the_secret_is_masked(key):
    assert Redactor().preview_kwargs({key: 1234}) == (
        1,
        15 + len(key) + 2,
        f'{{"{key}":"[redacted]"}}',
    )


def test_globs_add_keys_and_unredact_spares_one():
    verdicts = Verdicts(redact=["*_internal", "Patient*"], unredact=["SID"])

    assert verdicts["note_INTERNAL"] is Verdict.SECRET
    assert verdicts["patient_name"] is Verdict.SECRET
    assert verdicts["sid"] is Verdict.OPEN
    assert verdicts["password"] is Verdict.SECRET


def test_verdicts_are_kept_in_bounded_space():
    verdicts = Verdicts()

    for n in range(10_000):
        assert verdicts[f"field_{n}"] is Verdict.OPEN
    assert verdicts["x" * 1_000_000] is Verdict.OPEN

    assert len(verdicts) <= 4_096
    assert max(map(len, verdicts)) <= 128
