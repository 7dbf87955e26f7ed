"""The org itself: its name, limits, queues and users."""

from __future__ import annotations

from collections.abc import Sequence

from audio_extract_dagster.simulator.messages import Reply, bad_request, not_found
from audio_extract_dagster.simulator.model import Payload
from audio_extract_dagster.simulator.routed_request import RoutedRequest


def organization(routed: RoutedRequest) -> Reply:
    return Reply.json(
        routed.org.identity
        | {"state": "active", "defaultLanguage": "es-us", "selfUri": "/api/v2/organizations/me"}
    )


def limits(routed: RoutedRequest) -> Reply:
    namespace = routed.arguments[0]
    values = {
        "client.credentials.token.rate.per.minute": routed.org.switches.rate_limit,
        "request.bytes.max": 512_000,
    }
    if namespace != "platform.api":
        values = {}
    entries = [
        {"key": key, "namespace": namespace, "value": value} for key, value in values.items()
    ]
    return Reply.json({"namespace": namespace, "limits": entries})


def queues(routed: RoutedRequest) -> Reply:
    entities = [_queue(*queue) for queue in routed.org.source.queues]
    return _paged(routed, "/api/v2/routing/queues", entities)


def queue(routed: RoutedRequest) -> Reply:
    for found in routed.org.source.queues:
        if found.id == routed.arguments[0]:
            return Reply.json(_queue(*found))
    raise not_found(f"the queue {routed.arguments[0]}")


def users(routed: RoutedRequest) -> Reply:
    return _paged(routed, "/api/v2/users", [_user(*user) for user in routed.org.source.users])


def user(routed: RoutedRequest) -> Reply:
    for user_id, name in routed.org.source.users:
        if user_id == routed.arguments[0]:
            return Reply.json(_user(user_id, name))
    raise not_found(f"the user {routed.arguments[0]}")


def _queue(queue_id: str, name: str) -> Payload:
    return {"id": queue_id, "name": name, "selfUri": f"/api/v2/routing/queues/{queue_id}"}


def _user(user_id: str, name: str) -> Payload:
    return {
        "id": user_id,
        "name": name,
        "state": "active",
        "selfUri": f"/api/v2/users/{user_id}",
    }


def _paged(routed: RoutedRequest, path: str, entities: Sequence[Payload]) -> Reply:
    """An entity list: `nextUri` is absent on the last page."""
    try:
        page = int(routed.request.query.get("pageNumber", "1"))
        size = int(routed.request.query.get("pageSize", "25"))
    except ValueError:
        raise bad_request("pageNumber and pageSize must be numbers.") from None
    if page < 1 or not 1 <= size <= 500:
        raise bad_request("pageSize must be between 1 and 500.")
    count = max(1, -(-len(entities) // size))
    body: Payload = {
        "entities": entities[(page - 1) * size : page * size],
        "pageSize": size,
        "pageNumber": page,
        "total": len(entities),
        "pageCount": count,
        "firstUri": f"{path}?pageSize={size}&pageNumber=1",
        "lastUri": f"{path}?pageSize={size}&pageNumber={count}",
        "selfUri": f"{path}?pageSize={size}&pageNumber={page}",
    }
    if page < count:
        body["nextUri"] = f"{path}?pageSize={size}&pageNumber={page + 1}"
    if page > 1:
        body["previousUri"] = f"{path}?pageSize={size}&pageNumber={page - 1}"
    return Reply.json(body)
