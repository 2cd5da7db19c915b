"""The service as a Starlette app of its own, without BentoML."""

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import Mount

from vitrine.core.errors import ImageError
from vitrine.serving.engine import Engine, Overloaded
from vitrine.serving.follower import Follower, Pin
from vitrine.serving.guard import BodyDeadline, KeyGuard
from vitrine.serving.metrics import Metrics
from vitrine.serving.model import PackagedModel
from vitrine.serving.page import page_routes
from vitrine.serving.prediction_log import PredictionLog
from vitrine.serving.problems import refuse
from vitrine.serving.reception import Reception
from vitrine.serving.routes import Serving, api_routes
from vitrine.serving.settings import Settings
from vitrine.serving.upload import BodyLimit

REFUSED = (HTTPException, ImageError, Overloaded, ClientDisconnect)


def create_app(model: PackagedModel, settings: Settings, pin: Pin | None) -> Starlette:
    """Return the app that serves a packaged model; its start-up loads and proves the bundle.

    Args:
        model: What answers first.
        settings: How.
        pin: What is followed from then on; None serves the first for ever.

    Raises:
        BundleError: At start-up: the model is damaged or does not answer as it did.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with (
            closing(PredictionLog(settings, metrics)) as log,
            Engine(model.open(settings), settings, metrics) as engine,
        ):
            app.state.serving = Serving(engine, metrics, settings, log)
            async with _following(pin, engine, settings):
                with _frozen():
                    yield

    app = Starlette(
        # One mount takes every path, so that unknown ones are answered by us too, in JSON.
        routes=[Mount("/", routes=[*api_routes(), *page_routes()])],
        middleware=[
            Middleware(Reception, metrics=metrics, seconds=settings.timeout),
            Middleware(BodyDeadline, seconds=settings.body_seconds),
            Middleware(KeyGuard, keys=settings.keys, metrics=metrics),
            Middleware(BodyLimit, max_bytes=settings.max_body_bytes),
        ],
        exception_handlers=dict.fromkeys(REFUSED, refuse),
        lifespan=lifespan,
    )
    app.state.metrics = metrics
    return app


@contextmanager
def _frozen() -> Iterator[None]:
    """Spare what the start has made from the garbage collector, whose walks delay requests."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@asynccontextmanager
async def _following(pin: Pin | None, engine: Engine, settings: Settings) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        if pin:
            follower = Follower(pin, engine, settings)
            # Before anything is answered: a Bento may carry an older model than is pinned.
            await anyio.to_thread.run_sync(follower.look)
            tasks.start_soon(follower.run)
        yield
        tasks.cancel_scope.cancel()
