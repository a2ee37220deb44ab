"""Manifests of ConectaGrant that follow the rules, and such that break one: see `custom_resource_rows`."""

from conecta_operator.api.legal_basis import LegalBasis
from conecta_operator.api.objects import Manifest
from tests.support.changes import ABSENT, CONTACT, WRONG_CONTACTS, but

__all__ = ["ACCEPTED", "DECISION", "FIXED", "FREE", "GRANT", "REFUSED", "WRONG_DECISIONS"]

GRANT: Manifest = {
    "apiVersion": "conecta.gov.br/v1alpha1",
    "kind": "ConectaGrant",
    "metadata": {"name": "agendamento-cep"},
    "spec": {
        "apiRef": {"namespace": "receita", "name": "cep"},
        "application": {"name": "agendamento"},
    },
}
TERM = {
    "number": "2026/0142",
    "signedBy": "Ana Souza, diretora",
    "signedAt": "2026-11-24T15:00:00-03:00",
    "digest": "sha256:" + "0123456789abcdef" * 4,
}
YEAR = {"spec.validFrom": "2027-01-01T00:00:00-03:00", "spec.validUntil": "2028-01-01T00:00:00-03:00"}


ACCEPTED = [
    (GRANT, {}, "a grant with what is required and no more"),
    (GRANT, {"metadata.name": "g" * 63}, "a grant's name of 63 characters"),
    (GRANT, {"spec.application.name": "a" * 63}, "an application's name of 63 characters"),
    (GRANT, {"spec.application.description": "Agenda consultas"}, "an application that says what it does"),
    (GRANT, {"spec.application.contact": CONTACT}, "an application with somebody who answers"),
    (GRANT, {"spec.credential": {"secretName": "cep.saude-2"}}, "a Secret's name with dots"),
    *(
        (GRANT, {"spec.credential": {"overlap": text}}, f"an overlap of {text}")
        for text in ("0s", "90m", "72h", "365d")
    ),
    (GRANT, {"spec.credential": {"overlap": "31536000s"}}, "the longest overlap in seconds"),
    *(
        (GRANT, {"spec.credential": {"rotateEvery": value}}, f"keys replaced every {value!r}")
        for value in ("90d", "30s", "3650d", "87600h", "0s", "0", 0)
    ),
    (GRANT, {"spec.credential": {"serial": 0}}, "a serial of 0"),
    (GRANT, {"spec.credential": {"serial": 7}}, "a new grant with a serial of 7"),
    (GRANT, {"spec.plan": "b" * 50}, "a plan of 50 characters"),
    (GRANT, {"spec.purpose": "ç" * 1000}, "a purpose of 1000 characters"),
    *((GRANT, {"spec.legalBasis": basis.value}, f"{basis.value} as legal basis") for basis in LegalBasis),
    (GRANT, {"spec.publicService": "s" * 200}, "a public service of 200 characters"),
    (GRANT, {"spec.estimatedCallsPerYear": 0}, "no calls expected"),
    (GRANT, {"spec.estimatedCallsPerYear": 10**12}, "10 to the power of 12 calls expected"),
    (GRANT, {"spec.responsibilityTerm": TERM}, "a responsibility term"),
    (
        GRANT,
        {"spec.responsibilityTerm": TERM | {"number": "n" * 100, "signedBy": "s" * 200}},
        "a term with texts as long as can be",
    ),
    *(
        (GRANT, {"spec.sourceRanges": [text]}, f"calls from {text}")
        for text in (
            "203.0.113.0/24",
            "203.0.113.7/32",
            "0.0.0.0/0",
            "2001:db8::/32",
            "::/0",
            "2001:0db8:0000:0000:0000:0000:0000:0001/128",
        )
    ),
    (GRANT, {"spec.sourceRanges": []}, "calls from anywhere"),
    (GRANT, {"spec.sourceRanges": [f"10.0.{n}.0/24" for n in range(64)]}, "64 ranges"),
    (GRANT, YEAR, "a right for one year"),
    (GRANT, {"spec.validUntil": "2001-01-01T00:00:00Z"}, "a right that has ended"),
    (GRANT, {"spec.validFrom": "2999-12-31T23:59:59.999999+23:59"}, "a right that begins in the last year"),
    (
        GRANT,
        {"spec.validFrom": "2027-01-01T00:00:00-03:00", "spec.validUntil": "2027-01-01T03:00:00.001Z"},
        "a right for a thousandth of a second",
    ),
    (GRANT, {"spec.suspended": True}, "a suspended grant"),
]

REFUSED = [
    *(
        (
            but(GRANT, {"spec.application.contact": CONTACT}),
            {f"spec.application.contact.{field}": value},
            f"spec.application.contact.{field}",
            f"an application's contact with {what}",
        )
        for field, value, what in WRONG_CONTACTS
    ),
    (GRANT, {"metadata.name": "g" * 64}, "metadata.name", "a grant's name of 64 characters"),
    (GRANT, {"spec.apiRef": ABSENT}, "spec.apiRef", "a grant on nothing"),
    (GRANT, {"spec.apiRef.namespace": ABSENT}, "spec.apiRef.namespace", "an API of no namespace"),
    (GRANT, {"spec.apiRef.name": ABSENT}, "spec.apiRef.name", "an API without name"),
    (GRANT, {"spec.apiRef.name": "CEP"}, "spec.apiRef.name", "an API's name in capitals"),
    (GRANT, {"spec.apiRef.namespace": "a.b"}, "spec.apiRef.namespace", "a namespace with a dot"),
    (GRANT, {"spec.apiRef.name": "a" * 64}, "spec.apiRef.name", "an API's name of 64 characters"),
    (GRANT, {"spec.apiRef.namespace": "n" * 64}, "spec.apiRef.namespace", "a namespace of 64 characters"),
    (GRANT, {"spec.application": ABSENT}, "spec.application", "a grant for no application"),
    (GRANT, {"spec.application.name": ABSENT}, "spec.application.name", "an application without name"),
    (GRANT, {"spec.application.name": "Agenda Saúde"}, "spec.application.name", "an application's name as a title"),
    (GRANT, {"spec.application.name": "a" * 64}, "spec.application.name", "an application's name of 64 characters"),
    (GRANT, {"spec.application.description": "d" * 1001}, "spec.application.description", "a long description"),
    (
        GRANT,
        {"spec.application.contact": {"name": "A"}},
        "spec.application.contact.email",
        "an application's contact without address",
    ),
    (GRANT, {"spec.credential.secretName": "Chave"}, "spec.credential.secretName", "a Secret's name in capitals"),
    (GRANT, {"spec.credential.secretName": "-chave"}, "spec.credential.secretName", "a Secret's name with a bad start"),
    (GRANT, {"spec.credential.secretName": ""}, "spec.credential.secretName", "an empty name of a Secret"),
    (
        GRANT,
        {"spec.credential.secretName": "s" * 254},
        "spec.credential.secretName",
        "a Secret's name of 254 characters",
    ),
    *(
        (GRANT, {"spec.credential.overlap": text}, "spec.credential.overlap", f"an overlap of {text!r}")
        for text in (
            "",
            "72",
            "h",
            "1.5h",
            "-1h",
            "1h30m",
            "2w",
            "72 h",
            "366d",
            "8761h",
            "31536001s",
            "999999999s",
            72,
        )
    ),
    *(
        (GRANT, {"spec.credential.rotateEvery": value}, "spec.credential.rotateEvery", f"keys replaced every {value!r}")
        for value in ("", "180", "never", "1.5d", "-1d", "6w", "3651d", "87601h", "99999999d", "00", 1, -1, True)
    ),
    (GRANT, {"spec.credential.serial": -1}, "spec.credential.serial", "a serial below 0"),
    (GRANT, {"spec.credential.serial": "1"}, "spec.credential.serial", "a serial in quotes"),
    (GRANT, {"spec.credential.serial": 1.5}, "spec.credential.serial", "a serial that is no whole number"),
    *(
        (GRANT, {f"spec.{field}": value}, f"spec.{field}", f"{field} that is {what}")
        for field, value, what in (
            ("plan", "", "empty"),
            ("plan", " básico", "a name with a space before it"),
            ("plan", "p" * 51, "51 characters long"),
            ("purpose", "", "empty"),
            ("purpose", " \n", "blank"),
            ("purpose", "p" * 1001, "1001 characters long"),
            ("legalBasis", "", "empty"),
            ("legalBasis", "Art7X", "for private bodies"),
            ("legalBasis", "art7III", "in small letters"),
            ("legalBasis", "Art. 7, III", "written as lawyers do"),
            ("publicService", "", "empty"),
            ("publicService", "s" * 201, "201 characters long"),
            ("estimatedCallsPerYear", -1, "below 0"),
            ("estimatedCallsPerYear", 1.5, "no whole number"),
            ("estimatedCallsPerYear", "1000", "in quotes"),
            ("suspended", "true", "in quotes"),
            ("validFrom", "2027-01-01", "a day without time"),
            ("validFrom", "2027-01-01T00:00:00", "without zone"),
            ("validFrom", "2027-02-30T00:00:00Z", "no day of the calendar"),
            ("validFrom", "2027-01-01T25:00:00Z", "no time of the day"),
            ("validFrom", "2027-01-01T00:00:00+24:00", "in no zone"),
            ("validUntil", "0202-01-01T00:00:00Z", "in the third century"),
            ("validUntil", "9999-12-31T23:59:59Z", "in the last year of all"),
            ("validUntil", "", "empty"),
        )
    ),
    *(
        (
            but(GRANT, {"spec.responsibilityTerm": TERM}),
            {f"spec.responsibilityTerm.{field}": value},
            f"spec.responsibilityTerm.{field}",
            what,
        )
        for field, value, what in (
            *((field, ABSENT, f"a term without {field}") for field in TERM),
            ("number", "", "a term with an empty number"),
            ("number", "n" * 101, "a term with a number of 101 characters"),
            ("number", 142, "a term with a number that is no text"),
            ("signedBy", " ", "a term signed by a blank"),
            ("signedBy", "s" * 201, "a term signed by 201 characters"),
            ("signedAt", "ontem", "a term signed yesterday"),
            ("digest", "0123456789abcdef" * 4, "a digest that does not say of which kind it is"),
            ("digest", "sha256:" + "0123456789abcdef" * 3, "a digest that is too short"),
            ("digest", "sha256:" + "0123456789abcdef" * 4 + "0", "a digest that is too long"),
            ("digest", "sha256:" + "0123456789ABCDEF" * 4, "a digest in capitals"),
            ("digest", "sha256:" + "0123456789abcdeg" * 4, "a digest that is not hexadecimal"),
            ("digest", "sha512:" + "0123456789abcdef" * 4, "a digest of another kind"),
        )
    ),
    *(
        (GRANT, {"spec.sourceRanges": ["10.0.0.0/8", text]}, "spec.sourceRanges[1]", f"calls from {text!r}")
        for text in (
            "",
            "203.0.113.7",
            "203.0.113.0/33",
            "203.0.113.0/-1",
            "203.0.113.0/24 ",
            "203.0.113.256/32",
            "203.0.113/24",
            "203.0.113.007/32",
            "203.0.113.7/24",
            "2001:db8::1/32",
            "2001:db8::/129",
            "::ffff:203.0.113.0/120",
            "fe80::%eth0/64",
            "saude.example/24",
        )
    ),
    (GRANT, {"spec.sourceRanges": ["10.0.0.0/8"] * 65}, "spec.sourceRanges", "65 ranges"),
    (GRANT, YEAR | {"spec.validUntil": "2026-12-31T23:59:59Z"}, "spec.validUntil", "an end before the beginning"),
    (
        GRANT,
        YEAR | {"spec.validUntil": "2027-01-01T03:00:00Z"},
        "spec.validUntil",
        "an end at the same moment in another zone",
    ),
]

FIXED = [
    (GRANT, {"spec": {"apiRef": {"name": "cnpj"}}}, "spec.apiRef", "the API of a grant"),
    (GRANT, {"spec": {"apiRef": {"namespace": "saude"}}}, "spec.apiRef", "the provider of a grant"),
    (GRANT, {"spec": {"application": {"name": "fila"}}}, "spec.application.name", "the application of a grant"),
]

FREE = [
    (GRANT, {"spec": {"application": {"description": "Agenda"}}}, "an application's description"),
    (GRANT, {"spec": {"credential": {"secretName": "outra"}}}, "the name of the Secret"),
    (GRANT, {"spec": {"credential": {"overlap": "7d"}}}, "the overlap"),
    (GRANT, {"spec": {"credential": {"rotateEvery": 0}}}, "how often keys are replaced"),
    (GRANT, {"spec": {"credential": {"serial": 1}}}, "the serial, to a higher one"),
    (GRANT, {"spec": {"plan": "ouro"}}, "the plan"),
    (GRANT, {"spec": {"suspended": True}}, "whether a grant is suspended"),
    (GRANT, {"spec": {"sourceRanges": ["203.0.113.0/24"]}}, "where calls come from"),
    (GRANT, {"spec": {"validUntil": "2028-01-01T00:00:00Z"}}, "when the right ends"),
]

DECISION: Manifest = {
    "decision": "Approved",
    "by": "ana@receita.example",
    "at": "2026-11-24T12:00:00Z",
    "terms": {"application": "agendamento"},
}
"""A value of `status.approval` for GRANT."""

WRONG_DECISIONS = [
    *(({field: ABSENT}, f".{field}", f"a decision without {field}") for field in ("decision", "by", "at")),
    ({"decision": "Pending"}, ".decision", "a decision that is none"),
    ({"decision": "approved"}, ".decision", "a decision in small letters"),
    ({"by": ""}, ".by", "a decision by nobody"),
    ({"by": "a" * 254}, ".by", "a decision by a name of 254 characters"),
    ({"at": "hoje"}, ".at", "a decision made today"),
    ({"message": "m" * 1001}, ".message", "a decision with a message of 1001 characters"),
    ({"rule": "access"}, ".rule", "a decision by an unknown rule"),
    ({"terms": ABSENT}, ".terms", "an approval of nothing in particular"),
    ({"terms": {}}, ".terms.application", "terms for no application"),
    ({"terms.plan": "p" * 51}, ".terms.plan", "terms with a plan of 51 characters"),
    ({"terms.purpose": "p" * 1001}, ".terms.purpose", "terms with a purpose of 1001 characters"),
    ({"terms.legalBasis": "Art7X"}, ".terms.legalBasis", "terms with a basis for private bodies"),
    ({"terms.sourceRanges": ["10.0.0.0"]}, ".terms.sourceRanges[0]", "terms with a range that is none"),
    ({"terms.validUntil": "2027-01-01"}, ".terms.validUntil", "terms that end on a day"),
]
"""What to change in DECISION, the path of the field at fault below `status.approval`, and what it is in words."""
