"""Whether a password is the right one: streamlit-authenticator compares, once for every try, whoever is meant.

Apart from the rest: the library's component registers itself only when it is imported by a running server, so neither the
command line nor the server's own modules may import this one.
"""

from __future__ import annotations

from streamlit_authenticator.utilities.hasher import Hasher

from dashboard.signin.passwords import comparable, nobodys_hash

nobodys_hash()  # made now, or the first unknown name would take twice as long as a known one


def right_password(password: str, stored: str | None) -> bool:
    """Compares by bcrypt, exactly once; ``stored`` null is a name that may not sign in, and costs the same."""
    given, bcrypt_hash = comparable(password, nobodys_hash() if stored is None else stored)
    try:
        same = bool(Hasher.check_pw(given, bcrypt_hash))
    except (ValueError, UnicodeEncodeError):  # a hash that is none, or a surrogate in a name of the old kind
        return False
    return same and stored is not None
