// Text of an event stream in, messages out (WHATWG HTML section 9.2.6).
const LIMIT = 32 * 1024 * 1024;

export class EventParser {
  #rest = "";

  /** The messages that are complete with this piece: [{event, id, data}]. */
  feed(piece) {
    const blocks = (this.#rest + piece).split("\n\n");
    this.#rest = blocks.pop();
    if (this.#rest.length > LIMIT) throw new RangeError("a message is too long");
    return blocks.map(parse).filter((message) => message.data !== null);
  }
}

function parse(block) {
  const message = { event: "message", id: null, data: null };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue; // a comment
    const name = line.slice(0, colon);
    const value = line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "data") message.data = message.data === null ? value : `${message.data}\n${value}`;
    else if (Object.hasOwn(message, name)) message[name] = value;
  }
  return message;
}
