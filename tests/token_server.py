"""A real OAuth 2.0 server of other people's making, Authlib's on Flask, and an API that asks for its tokens.

Clients prove themselves by HTTP Basic, tokens live as long as they are told to, a refresh token and a code are good
once, and whoever uses one again loses the whole session, as a careful provider has it.
"""

import os
import threading
import time
from dataclasses import dataclass, field

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc7523 import JWTBearerGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask, jsonify, request
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain HTTP on loopback

CLIENT, SECRET = "club", "cl1ent-s3cret-of-the-club"
ODD, ODD_SECRET = "club & co", "cl1ent+s3cret/%="
"""A client whose name and secret have characters that forms encode; this server does not decode them in HTTP Basic."""
JANE, PASSWORD = "jane", "pa55word-of-jane"
SIGNING = RSAKey.generate_key(2048)
"""Of the gateway."""


@dataclass
class Client(ClientMixin):
    """A client that proves itself by HTTP Basic."""

    name: str = CLIENT
    secret: str = SECRET

    def get_client_id(self):
        return self.name

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return scope or ""

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri.endswith("/oauth/callback")

    def check_client_secret(self, client_secret):
        return client_secret == self.secret

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "client_secret_basic"

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return True


CLIENTS = {CLIENT: Client(), ODD: Client(ODD, ODD_SECRET)}


@dataclass
class Token(TokenMixin):
    """A token that was given, and what renews it; `family` is the session that it belongs to."""

    access: str
    refresh: str | None
    until: float
    family: int
    used: bool = False

    def check_client(self, client):
        return True

    def get_scope(self):
        return ""

    def get_expires_in(self):
        return int(self.until - time.time())

    def is_expired(self):
        return time.time() > self.until

    def is_revoked(self):
        return self.used

    def get_user(self):
        return JANE

    def get_client(self):
        return Client()


class Code:
    """What was asked for a code."""

    def __init__(self, asked):
        self.redirect_uri = asked.get("redirect_uri")
        self.code_challenge = asked.get("code_challenge")
        self.code_challenge_method = asked.get("code_challenge_method")

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return ""


class ByBasic:
    """A grant for clients that prove themselves by HTTP Basic; `kept` is what the server keeps."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

    @property
    def kept(self):
        return self.server.kept

    def authenticate_user(self, *_):
        return JANE


class ClientCredentials(ByBasic, grants.ClientCredentialsGrant):
    """The client's own."""


class Password(ByBasic, grants.ResourceOwnerPasswordCredentialsGrant):
    """The account of Jane."""

    def authenticate_user(self, username, password):
        return JANE if (username, password) == (JANE, PASSWORD) else None


class Refresh(ByBasic, grants.RefreshTokenGrant):
    """A new refresh token for each one."""

    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        return self.kept.renewable(refresh_token)

    def revoke_old_credential(self, refresh_token):
        """It was, when it was found."""


class AuthorizationCode(ByBasic, grants.AuthorizationCodeGrant):
    """What Jane agrees to."""

    def save_authorization_code(self, code, request):
        self.kept.codes[code] = Code(request.payload.data)

    def query_authorization_code(self, code, client):
        return self.kept.codes.get(code)

    def delete_authorization_code(self, authorization_code):
        codes = self.kept.codes
        self.kept.codes = {name: one for name, one in codes.items() if one is not authorization_code}


class Assertion(ByBasic, JWTBearerGrant):
    """What the gateway signs itself; the server has the public key."""

    def resolve_issuer_client(self, issuer):
        return CLIENTS.get(issuer)

    def resolve_client_public_key(self, client):
        return RSAKey.import_key(SIGNING.as_pem(private=False))

    def get_audiences(self):
        return [f"{self.kept.url}/oauth/token"]

    def has_granted_permission(self, client, user):
        return True


GRANTS = (ClientCredentials, Password, Refresh, Assertion)


@dataclass
class TokenServer:
    """The server on a free port of 127.0.0.1, in a thread of its own: `with TokenServer(lifetime=1) as server`."""

    lifetime: float = 3600.0
    """Seconds that access tokens live."""
    asked: list = field(default_factory=list)
    """The grant of each request to the token endpoint, with the status that it was answered with."""
    tokens: list = field(default_factory=list)
    codes: dict = field(default_factory=dict)
    slow: float = 0.0
    """Seconds that the token endpoint takes."""
    late: float = 0.0
    """Seconds that it waits with its answer, when all is done."""
    answering: threading.Event = field(default_factory=threading.Event)
    """Set once an answer waits so."""
    refuses: bool = False
    """Whether the client is locked out."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __enter__(self):
        self._server = make_server("127.0.0.1", 0, self._app(), threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def granted(self):
        """The grants that were given a token."""
        return [grant for grant, status in self.asked if status == 200]

    def revoke(self):
        """Refuse every access token from now on."""
        with self.lock:
            for one in self.tokens:
                one.until = 0.0

    def give(self):
        """Give a refresh token as one that was got elsewhere."""
        with self.lock:
            self.tokens.append(Token("given", "a-refresh-token-got-elsewhere", 0.0, len(self.tokens)))
        return self.tokens[-1].refresh

    def save(self, token, req):
        """Keep a token that the library gives; what renewed it is used."""
        with self.lock:
            old = getattr(req, "refresh_token", None)
            family = old.family if old is not None else len(self.tokens)
            until = time.time() + self.lifetime
            token["expires_in"] = int(self.lifetime)
            self.tokens.append(Token(token["access_token"], token.get("refresh_token"), until, family))

    def renewable(self, refresh):
        """Give the token that may be renewed; a second use ends the whole session."""
        with self.lock:
            found = next((one for one in self.tokens if one.refresh == refresh), None)
            if found is None:
                return None
            if found.used:
                for one in self.tokens:
                    if one.family == found.family:
                        one.used, one.until = True, 0.0
                return None
            found.used = True
            return found

    def _app(self):
        app = Flask("tokens")
        app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
        library = AuthorizationServer(app, query_client=CLIENTS.get)
        library.save_token = self.save
        library.kept = self
        library.register_grant(AuthorizationCode, [CodeChallenge(required=True)])
        for grant in GRANTS:
            library.register_grant(grant)

        @app.post("/oauth/token")
        def token():
            time.sleep(self.slow)
            if self.refuses:
                answer = jsonify(error="invalid_client"), 401
                status = 401
            else:
                answer = library.create_token_response()
                status = answer.status_code
            with self.lock:
                self.asked.append((request.form.get("grant_type"), status))
            if self.late:
                self.answering.set()
            time.sleep(self.late)
            return answer

        @app.get("/oauth/authorize")
        def authorize():
            grant = library.get_consent_grant(end_user=JANE)
            return library.create_authorization_response(grant=grant, grant_user=JANE)

        @app.route("/things", methods=["GET", "POST"])
        def things():
            came = request.headers.get("Authorization", "").removeprefix("Bearer ")
            with self.lock:
                good = any(one.access == came and not one.is_expired() for one in self.tokens)
            return (jsonify(things=["a", "b"]), 200) if good else (jsonify(error="token"), 401)

        return app
