from django.contrib.auth.models import AbstractBaseUser
from knox import auth
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from coaching.models.base import folded


class TokenAuthentication(auth.TokenAuthentication):
    def authenticate_credentials(self, token: bytes) -> tuple[AbstractBaseUser, AuthToken]:
        # knox reads UTF-8 and would stumble over other bytes.
        if not token.isascii() or b"\0" in token:
            raise AuthenticationFailed("Invalid token.")
        return super().authenticate_credentials(token)


class PerAccount(SimpleRateThrottle):
    """Guesses at one account, wherever they come from."""

    scope = "login"

    def get_cache_key(self, request: Request, view) -> str | None:
        given = request.data.get("username") if isinstance(request.data, dict) else None
        if not isinstance(given, str):
            return None
        # In hexadecimal: cache keys allow no spaces and at most 250 characters.
        return self.cache_format % {
            "scope": self.scope,
            "ident": folded(given).encode().hex()[:200],
        }


class PerAddress(SimpleRateThrottle):
    """Guesses from one address, at whatever accounts."""

    scope = "login_address"

    def get_cache_key(self, request: Request, view) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}
