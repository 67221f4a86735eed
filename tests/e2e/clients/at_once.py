"""300 calls at once by aiobotocore; prints how many were answered, and how many items each answer had."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

AT_ONCE = 300
TOLD: dict[str, str] = json.loads(os.environ["TOLD"])


def client(service: str) -> Any:
    """A client of the server."""
    return get_session().create_client(
        service, region_name="eu-west-1", endpoint_url=TOLD["endpoint"], aws_access_key_id=TOLD["id"], aws_secret_access_key=TOLD["secret"],
        config=AioConfig(max_pool_connections=AT_ONCE, read_timeout=300, connect_timeout=300, retries={"max_attempts": 1}),
    )  # fmt: skip


async def main() -> None:
    """Ask for as many users, and send as many events."""
    async with client("personalize-runtime") as runtime, client("personalize-events") as events:
        asked = (
            runtime.get_recommendations(campaignArn=TOLD["campaign"], userId=f"user-{n % 80}", numResults=5)
            for n in range(AT_ONCE)
        )
        answers = await asyncio.gather(*asked)
        sent = (
            events.put_events(
                trackingId=TOLD["trackingId"], userId=f"aio-{n}", sessionId=f"s{n}",
                eventList=[{"eventType": "watch", "itemId": "drama-1", "sentAt": 1_700_000_000}],
            )
            for n in range(AT_ONCE)
        )  # fmt: skip
        taken = await asyncio.gather(*sent)
    sizes = {len(answer["itemList"]) for answer in answers}
    codes = {answer["ResponseMetadata"]["HTTPStatusCode"] for answer in [*answers, *taken]}
    sys.stdout.write(
        json.dumps({"answers": len(answers), "taken": len(taken), "sizes": sorted(sizes), "codes": sorted(codes)})
    )


asyncio.run(main())
