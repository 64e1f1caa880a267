from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from drf_spectacular.utils import extend_schema
from knox.models import AuthToken
from knox.views import LogoutAllView, LogoutView
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from coaching.api.authentication import PerAccount, PerAddress, TokenAuthentication
from coaching.api.serializers.people import Credentials, Token


class SignIn(APIView):
    """A token for a name and a password."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (PerAccount, PerAddress)

    def get_authenticate_header(self, request: Request) -> str:
        # Without it a wrong password would be a 403.
        return TokenAuthentication().authenticate_header(request)

    @extend_schema(request=Credentials, responses={201: Token}, operation_id="auth_token")
    def post(self, request: Request) -> Response:
        given = Credentials(data=request.data)
        given.is_valid(raise_exception=True)
        user = authenticate(request, **given.validated_data)
        if user is None:
            # The same for an unknown name, a wrong password and a closed account.
            raise AuthenticationFailed("The name or the password is wrong.")
        stored, token = AuthToken.objects.create(user)
        user_logged_in.send(sender=type(user), request=request, user=user)
        return Response(Token({"token": token, "expiry": stored.expiry}).data, status=201)


class SignOut(LogoutView):
    """Forget this token."""

    authentication_classes = (TokenAuthentication,)

    @extend_schema(request=None, responses={204: None}, operation_id="auth_logout")
    def post(self, request: Request, format: str | None = None) -> Response:
        return super().post(request)


class SignOutEverywhere(LogoutAllView):
    """Forget all tokens of this login."""

    authentication_classes = (TokenAuthentication,)

    @extend_schema(request=None, responses={204: None}, operation_id="auth_logoutall")
    def post(self, request: Request, format: str | None = None) -> Response:
        return super().post(request)
