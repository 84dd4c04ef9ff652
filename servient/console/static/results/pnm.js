// Netpbm pictures, which cameras and small modules speak and browsers do not.
const KINDS = { P5: 1, P6: 3 };
const HEADER_LIMIT = 256;
const PIXELS_LIMIT = 64 * 1024 * 1024;

export const PPM = "image/x-portable-pixmap";
export const PGM = "image/x-portable-graymap";

/** An ImageData of a binary PGM or PPM of 8 or 16 bits. Throws RangeError. */
export function decodePnm(bytes) {
  const { words, start } = readHeader(bytes);
  const channels = KINDS[words[0]];
  const [width, height, most] = words.slice(1).map(Number);
  if (!channels || !(width > 0 && height > 0 && most > 0 && most < 65536) || width * height > PIXELS_LIMIT) {
    throw new RangeError("no binary PGM or PPM picture");
  }
  const size = most > 255 ? 2 : 1;
  if (bytes.length < start + width * height * channels * size) throw new RangeError("the picture is cut off");
  const sample = (index) =>
    ((size === 1 ? bytes[start + index] : bytes[start + index * 2] * 256 + bytes[start + index * 2 + 1]) *
      255) /
    most;
  const picture = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      picture.data[pixel * 4 + channel] = sample(channels === 1 ? pixel : pixel * 3 + channel);
    }
    picture.data[pixel * 4 + 3] = 255;
  }
  return picture;
}

/** Four words with white space and comments between them, then one white space. */
function readHeader(bytes) {
  const words = [];
  let word = "";
  let isComment = false;
  for (let at = 0; at < Math.min(bytes.length, HEADER_LIMIT); at += 1) {
    const each = String.fromCharCode(bytes[at]);
    if (isComment) isComment = each !== "\n";
    else if (each === "#") isComment = true;
    else if (!/\s/.test(each)) word += each;
    else if (word !== "") {
      words.push(word);
      word = "";
      if (words.length === 4) return { words, start: at + 1 };
    }
  }
  throw new RangeError("no header of a picture");
}

export function encodePnm(picture, mediaType) {
  const { width, height, data } = picture;
  const channels = mediaType === PGM ? 1 : 3;
  const header = new TextEncoder().encode(`${channels === 1 ? "P5" : "P6"}\n${width} ${height}\n255\n`);
  const bytes = new Uint8Array(header.length + width * height * channels);
  bytes.set(header);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    const [red, green, blue] = data.subarray(pixel * 4, pixel * 4 + 3);
    const at = header.length + pixel * channels;
    if (channels === 1) bytes[at] = 0.299 * red + 0.587 * green + 0.114 * blue;
    else bytes.set([red, green, blue], at);
  }
  return bytes;
}
