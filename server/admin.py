# ruff: noqa: N802  # methods have the names that the contract gives them
"""The calls of whoever runs the server, on a port of their own that only this machine reaches."""

from __future__ import annotations

from musicvae.errors import SettingError
from musicvae.rpc.replies import model_to_message
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import AdminServiceServicer

from .calls import Replies
from .models import Models

ADMIN_NAME = pb.DESCRIPTOR.services_by_name["AdminService"].full_name


class AdminService(AdminServiceServicer):
    """Changes the models; the contract documents each call."""

    def __init__(self, models: Models) -> None:
        self._models = models

    async def LoadModel(self, message: pb.LoadModelRequest, _: Replies) -> pb.LoadModelResponse:
        if not message.folder:
            raise SettingError(
                "no folder",
                expected="the folder of a bundle on the server",
                action="Write its path, or the name of an embedded bundle.",
                field="folder",
            )
        model = await self._models.load(message.folder, message.name)
        return pb.LoadModelResponse(model=model_to_message(model))

    async def UnloadModel(
        self, message: pb.UnloadModelRequest, _: Replies
    ) -> pb.UnloadModelResponse:
        await self._models.unload(message.name)
        return pb.UnloadModelResponse()
