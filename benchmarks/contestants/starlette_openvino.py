"""Plain Starlette with the bundle's own decoding and graph, an image at a time, nothing else."""

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from vitrine import imaging
from vitrine.bundle.runtime import Runtime
from vitrine.core.taxonomy import HEADS

runtime = Runtime(Path(os.environ["BUNDLE"]), threads=1, precision=os.environ["PRECISION"])


async def classify(request: Request) -> JSONResponse:
    """Answer one image with the probabilities of both heads."""
    async with request.form() as form:
        data = await form["image"].read()
    pixels = imaging.load(data, runtime.info.image)
    predictions = runtime.predict(pixels[None])
    return JSONResponse({head: predictions.probabilities(head)[0].tolist() for head in HEADS})


app = Starlette(routes=[Route("/classify", classify, methods=["POST"])])
