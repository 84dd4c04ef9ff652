// The request as a program with WoTPy.
import { toJson } from "../core/json.js";
import { credentials } from "../core/session.js";
import { tdUrl } from "./node-wot.js";

export function toWotpy({ td, name, value }) {
  const input = value === undefined ? "" : `, ${toPython(value)}`;
  const isSecret = credentials.value !== null;
  const headers = isSecret ? `, headers={"Authorization": f"Bearer {os.environ['TOKEN']}"}` : "";
  const secret = isSecret
    ? `\n    servient.add_credentials({${JSON.stringify(td.id)}: {"token": os.environ["TOKEN"]}})`
    : "";
  return `${importsOf(value, isSecret)}

URL = ${JSON.stringify(tdUrl(td))}

async def main() -> None:
    with urllib.request.urlopen(urllib.request.Request(URL${headers})) as answer:
        td = answer.read().decode()
    client = HttpClient()
    servient = Servient(clients=[client])${secret}
    thing = WoT(servient).consume(td)
    print(await thing.invoke_action(${JSON.stringify(name)}${input}))
    await client.close()

asyncio.run(main())`;
}

function importsOf(value, isSecret) {
  const hasFile = toPython(value).includes("Content(Path(");
  return [
    "import asyncio",
    isSecret && "import os",
    "import urllib.request",
    hasFile && "from pathlib import Path",
    "",
    "from servient.clients.http import HttpClient",
    hasFile && "from servient.wot.content import Content",
    "from servient.wot.entry import WoT",
    "from servient.wot.servient import Servient",
  ]
    .filter((line) => line !== false)
    .join("\n");
}

function toPython(value) {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (value instanceof Blob)
    return `Content(Path(${JSON.stringify(value.name ?? "file")}).read_bytes(), ${JSON.stringify(value.type)})`;
  if (Array.isArray(value)) return `[${value.map(toPython).join(", ")}]`;
  if (typeof value !== "object") return toJson(value);
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}: ${toPython(member)}`)
    .join(", ")}}`;
}
