/** Files that go with a question: texts as they are, images in a form that every model's eye takes. */

import { t } from "./words.js";

const MAX_TEXT_BYTES = 2_000_000;
const MAX_SIDE_PX = 1536; // more than projectors look at
const JPEG_QUALITY = 0.9;

/**
 * Reads a file as `{ name, kind, data }`; `kind` is "text" or "image", whose data is a `data:` URL.
 * Throws an Error with words for the user.
 */
export async function readAttachment(file, canSee) {
  const { name, type } = file;
  if (!type.startsWith("image/") || type === "image/svg+xml") {
    return { name, kind: "text", data: await readText(file) };
  }
  if (!canSee) throw new Error(t("sees_nothing", { name }));
  return { name, kind: "image", data: await readImage(file) };
}

async function readText(file) {
  if (file.size > MAX_TEXT_BYTES) throw new Error(t("file_too_large", { name: file.name }));
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    if (!text.includes("\0")) return text.replaceAll("\r\n", "\n");
  } catch {
    // What is no UTF-8 is refused below.
  }
  throw new Error(t("file_no_text", { name: file.name }));
}

/** Draws an image anew: upright, not larger than needed, and without where it was taken. */
async function readImage(file) {
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, MAX_SIDE_PX / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const type = file.type === "image/jpeg" ? "image/jpeg" : "image/png";
    return canvas.toDataURL(type, JPEG_QUALITY);
  } catch (error) {
    throw new Error(t("file_no_image", { name: file.name }), { cause: error });
  }
}

/** Shows an attachment; with `onRemove` it can be taken away again. */
export function attachmentNode({ name, kind, data }, onRemove = null) {
  const node = document.createElement("li");
  node.className = "attachment";
  const label = document.createElement("span");
  label.textContent = label.title = name;
  label.dir = "auto";
  if (kind === "image") {
    const picture = document.createElement("img");
    picture.src = data;
    picture.alt = "";
    node.append(picture);
  }
  node.append(label);
  if (onRemove) node.append(removeButton(name, onRemove));
  return node;
}

function removeButton(name, onRemove) {
  const button = document.querySelector("#remove-template").content.cloneNode(true).firstElementChild;
  button.ariaLabel = button.title = t("remove", { name });
  button.onclick = onRemove;
  return button;
}
