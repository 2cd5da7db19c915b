"""The webhook by which an MLflow server says that an alias was set or taken away."""

from vitrine.core.errors import TrackingError
from vitrine.tracking.store import client, impatient, registry_address, speaking

NAME = "vitrine-watch"
EVENTS = ("model_version_alias.created", "model_version_alias.deleted")


@speaking()
def ensure_webhook(url: str, secret: str) -> str:
    """Ask the MLflow server to send alias events to an address, and to try that at once.

    Asking again makes no second webhook. The server may take a minute until it uses a new one.

    Args:
        url: Under which the server reaches the receiver, which must be there already.
        secret: The key of the deliveries' signatures.

    Returns:
        Why the server does not reach the receiver; empty when it does.

    Raises:
        TrackingError: The registry is no server, which alone sends events; or it refuses, as it
            does an address that its settings do not allow.
    """
    if not registry_address().startswith("http"):
        raise TrackingError(
            "only an MLflow server sends webhooks, and the registry is an embedded one: start "
            "`make ui` and set MLFLOW_TRACKING_URI to it, or leave --webhook out"
        )
    store = client()
    # A server that lost its encryption key answers 500 here, again and again.
    with impatient():
        known = [hook for hook in store.list_webhooks(max_results=1000) if hook.name == NAME]
        same = next((hook for hook in known if hook.url == url), None)
        # The secret cannot be read back, and may be a new one.
        hook = (
            store.update_webhook(same.webhook_id, secret=secret, status="ACTIVE")
            if same
            else store.create_webhook(NAME, url, [*EVENTS], secret=secret)
        )
        result = store.test_webhook(hook.webhook_id)
    if result.success:
        return ""
    return str(result.error_message or f"it answered {result.response_status}")
