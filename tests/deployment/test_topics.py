"""What a deployment leaves at the broker when it is gone: nothing."""

import asyncio

from servient.app import App
from tests.files import FileServer
from tests.tools import needs


async def retained(app: App) -> set[str]:
    """The topics with a retained message, as a foreign client sees them."""
    assert app.broker is not None
    process = await asyncio.create_subprocess_exec(
        *(needs("mosquitto_sub"), "-h", app.broker.host, "-p", str(app.broker.port)),
        *("-t", "#", "-F", "%t", "--retained-only", "-W", "1"),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    return set(out.decode().split())


async def test_topics_come_and_go_with_a_deployment(app: App, files: FileServer) -> None:
    needs("mosquitto")
    before = await retained(app)
    for number in range(5):
        manifest = files.manifest("counter/manifest.json", deploymentId=f"d{number}")
        await app.deployer.deploy(manifest)
        thing = app.servient.exposed(f"d{number}:counter")
        await thing.invoke_action("increment")
    prefix = f"{app.config.topic_prefix}/things"
    results = {f"{prefix}/d{n}:counter/properties/increment_result" for n in range(5)}
    async with asyncio.timeout(10):
        while not await retained(app) - before >= results:
            await asyncio.sleep(0.1)
    for number in range(5):
        await app.deployer.undeploy(f"d{number}")
    async with asyncio.timeout(10):
        while await retained(app) != before:
            await asyncio.sleep(0.1)
