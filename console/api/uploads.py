"""Files on their way in: streamed to disk, then moved to where imports find them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.core.files.uploadedfile import TemporaryUploadedFile
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from console import storage
from console.api.documents import ERROR_REF
from console.api.examples import error_examples
from console.api.views import BaseView, writer_or_reader
from console.errors import InvalidInputException

BODY = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "format": "binary"}},
}
RESULT = {
    "type": "object",
    "required": ["location", "sizeBytes", "sha256"],
    "properties": {
        "location": {"type": "string", "description": "What to give as dataLocation."},
        "sizeBytes": {"type": "integer"},
        "sha256": {"type": "string"},
    },
}
KEPT = {
    "location": "s3://uploads/000000000000/8f14e45f-ceea-467f-a0e6-6c7bd5a1c9e2/users.csv",
    "sizeBytes": 1024,
    "sha256": hashlib.sha256(b"").hexdigest(),
}
RESPONSES = {
    201: OpenApiResponse(RESULT, "Kept"),
    400: OpenApiResponse(ERROR_REF, "There is no file in it, or several"),
    401: OpenApiResponse(ERROR_REF, "No token, or one that is not known"),
    403: OpenApiResponse(ERROR_REF, "Not allowed to this caller"),
    415: OpenApiResponse(ERROR_REF, "The body is not multipart/form-data"),
}


class UploadView(BaseView):
    parser_classes = [MultiPartParser]

    @extend_schema(  # type: ignore[untyped-decorator]
        operation_id="Upload",
        summary="Bring a file to the server, for an import or a batch job",
        tags=["uploads"],
        request={"multipart/form-data": BODY},
        responses=RESPONSES,
        examples=[
            OpenApiExample("Kept", KEPT, response_only=True, status_codes=["201"]),
            *error_examples([400, 401, 403, 415]),
        ],
    )
    def post(self, request: Request) -> Response:
        account = writer_or_reader(request, "Upload")
        files = request.FILES.getlist("file")
        if len(files) > 1:
            raise InvalidInputException(f"There are {len(files)} files; send one in each request.", field="file")
        file = files[0] if files else None
        if not isinstance(file, TemporaryUploadedFile):
            raise InvalidInputException("There is no file; send it as the part named file.", field="file")
        path = Path(file.temporary_file_path())
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = file.size
        location = storage.keep_upload(account, path, file.name or "")
        file.close()
        return Response({"location": str(location), "sizeBytes": size, "sha256": digest}, status=201)
