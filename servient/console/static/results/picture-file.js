// Files as an action wants them: with its media type, and pictures of browsers' kinds as Netpbm.
import { encodePnm, PGM, PPM } from "./pnm.js";

const SHOWN =
  /^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml|x-icon|vnd\.microsoft\.icon|x-portable-(pixmap|graymap))$/;

export const isPicture = (mediaType) => SHOWN.test(mediaType.split(";")[0].trim());

export const isPnm = (mediaType) => mediaType.startsWith(PPM) || mediaType.startsWith(PGM);

/** {file, isConverted} */
export async function toWanted(file, mediaType) {
  if (isPnm(mediaType) && isPicture(file.type) && !isPnm(file.type)) {
    const bytes = await toPnm(file, mediaType).catch(() => null);
    if (bytes)
      return {
        file: new File([bytes], stem(file.name) + suffix(mediaType), { type: mediaType }),
        isConverted: true,
      };
  }
  const type = mediaType === "application/octet-stream" ? file.type : mediaType;
  // Anything of a kind is that kind to whoever asks for the kind.
  const fits = mediaType.endsWith("/*") || file.type === type;
  return { file: fits ? file : new File([file], file.name, { type }), isConverted: false };
}

async function toPnm(file, mediaType) {
  const picture = await createImageBitmap(file);
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  picture.close();
  return encodePnm(context.getImageData(0, 0, canvas.width, canvas.height), mediaType);
}

const stem = (name) => name.replace(/\.[^.]*$/, "");
const suffix = (mediaType) => (mediaType === PGM ? ".pgm" : ".ppm");
