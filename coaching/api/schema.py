"""What the OpenAPI description says beyond what the views say themselves."""

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme

from coaching.api.problems import MEDIA_TYPE


class TokenScheme(KnoxTokenScheme):
    target_class = "coaching.api.authentication.TokenAuthentication"
    name = "token"


PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "Stable, for programs."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for people."},
        "errors": {
            "type": "array",
            "description": "Each thing to correct.",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body."},
                    "parameter": {"type": "string", "description": "Query parameter."},
                    "row": {"type": "integer", "description": "Row of a bulk ingest, from 1."},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


def with_problems(result: dict, generator, request, public: bool) -> dict:
    """Every operation may answer with a problem."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"]["4XX"] = {
                "description": "A problem.",
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
    return result
