"""What only operators may ask: one door for all of `/admin/v1`."""

from fastapi import APIRouter, Depends, Request

from filmgate.web.surroundings import Surroundings


def operator_router(around: Surroundings, path: str = "") -> APIRouter:
    """Give a router below `/admin/v1` that answers nobody but operators."""

    async def operator(request: Request) -> None:
        await around.doorman.operator(request)

    return APIRouter(prefix=f"/admin/v1{path}", tags=["admin"], dependencies=[Depends(operator)])
