"""What credentials look like, and what they are called."""

import re
from functools import lru_cache

CREDENTIAL = re.compile(
    r"""
    -----BEGIN[ A-Z0-9]*PRIVATE\ KEY(?:\ BLOCK)?-----(?:(?!-----END)[\s\S])*(?:-----END[ A-Z0-9]*-----)?
    | (?P<encoded>LS0tLS1CRUdJTi[A-Za-z0-9+/=]+)  # base64 of "-----BEGIN": a key, or only a certificate
    | \beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}  # JWT, JWE
    | (?P<scheme>\b(?i:bearer|apikey|basic)\s+)
      (?=[A-Za-z0-9._~+/-]*[0-9_~+/]|[A-Za-z]{24})[A-Za-z0-9._~+/-]{6,}=*
    | (?P<header>(?i:authorization)["']?\s*[:=]\s*["']?[A-Za-z]+\ +)(?!\[redacted\])[^\s"',]{6,}
    | (?P<login>\bcurl\b[^\n]{0,400}?\s(?:-u\ ?|--(?:proxy-)?user[ =])["']?[^\s:"']*:)(?!\[redacted\])[^\s"']+
    | (?P<query>[?&](?i:key|code|sig|signature|pass|pw|auth)=)(?!\[redacted\])[^\s&#"'<>]{6,}  # of a URL
    | (?P<cookie>(?i:cookie):\ *)(?!\[redacted\])[^\s"'][^\n"']*
    | (?<![A-Za-z0-9_-])(?:
          sk-[A-Za-z0-9_-]{12,}  # OpenAI and its kin; MaaS
        | (?:hf|api_org)_[A-Za-z0-9]{12,}  # Hugging Face
        | (?:gh[pousr]|github_pat)_[A-Za-z0-9_]{16,} | glpat-[A-Za-z0-9_-]{16,}
        | xox[abeoprs]-[A-Za-z0-9-]{10,}
        | (?:AKIA|ASIA)[A-Z0-9]{12,}
        | AIza[A-Za-z0-9_-]{30,} | ya29\.[A-Za-z0-9_-]{16,}
        | nvapi-[A-Za-z0-9_-]{16,} | dckr_(?:pat|oat)_[A-Za-z0-9_-]{16,} | npm_[A-Za-z0-9]{16,}
        | sha256~[A-Za-z0-9_-]{20,}  # OpenShift
      )
    | (?<![A-Za-z0-9+.-])(?P<url>[A-Za-z][A-Za-z0-9+.-]{0,20}://(?!(?:[^\s/@:]*:)?\[redacted\]@)(?:[^\s/@:"']*:)?)
      [^\s/@"']+(?=@(?!sha256:))
    """,
    re.VERBOSE,
)
"""What is hidden wherever it stands. What a group but `encoded` has found stays."""

LEAD = re.compile(
    r"""
      (?:(?<=\\[nrt])|(?<![\w.\\-])) (?P<name>-{0,2}[A-Za-z_][\w.-]*) (?P<key_quote>\\*["'])?
      [ \t]* (?P<by>[:=]+) [ \t]*
    | (?<![\w-])--?(?P<flag>[A-Za-z][\w-]*)[ \t]+ (?!-)
    """,
    re.VERBOSE,
)
"""What stands before a value: name: value, name=value, "name":"value", --name value."""

VALUE = re.compile(
    r"""
      (?P<quote>\\*["']) (?P<quoted>(?:(?!(?<!\\)(?P=quote))[^\n])+) (?<!\\)(?P=quote)
    | (?P<unclosed>\\*["'][^\n"']+)
    | (?P<block>[|>][-+]?[ \t]*\n[ \t]+[^\n]+)
    | (?P<bare>\$\{\w+\} | (?![|>])[^\s,;&"'<>{}\[\]\\]+)
    """,
    re.VERBOSE,
)

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SECRET_WORDS = _words(
    "password passwd pwd passphrase secret secrets token apikey credential credentials auth authorization cookie jwt "
    "bearer dsn pat accesskey privatekey secretkey sig signature"
)
_SECRET_ENDINGS = ("password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "privatekey")
_KEYS = _words(
    "api access secret private encryption signing master client account storage ssh auth session hmac license service "
    "shared deploy"
)
_SUFFIXES = _words("data value base64 b64 id old new current previous default plain text raw string")
_COUNTED = _words(  # tokens of a model, and tokens that stand for something in its text
    "max min num per eos bos pad unk sep cls mask stop start end first last next input output prompt completion total "
    "special image each"
)
_PROSE = re.compile(r"[a-z]+(?:-[a-z]+)*\.?")


@lru_cache(maxsize=50_000)
def names_a_secret(name: str) -> bool:
    """Whether a variable, a field or an option of that name holds a credential itself, not the name of one."""
    words = _meaning(name)
    before, last = (["", "", *words])[-2:]
    match last:
        case "key":
            return before in _KEYS
        case "token":
            return before not in _COUNTED
        case "pass":
            return before not in ("", "proxy")
        case "connection":
            return "string" in name.lower()
    return last in _SECRET_WORDS or last.endswith(_SECRET_ENDINGS)


def _meaning(name: str) -> list[str]:
    """hfToken_2 and HF_TOKEN_VALUE are both hf token."""
    words = [word.lower() for word in _WORD.findall(name.rpartition("/")[2])]
    while len(words) > 1 and (words[-1] in _SUFFIXES or words[-1].isdecimal()):
        words.pop()
    return words


def is_prose(name: str, by: str, value: str) -> bool:
    """Whether an assignment is a sentence: "token: expired". Of a password nothing is."""
    return by == ":" and bool(_PROSE.fullmatch(value)) and "pass" not in name.lower()
