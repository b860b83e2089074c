/** Files that go from the page to the disk and back. */

/** Has the browser save a text under a title, as far as that can be a file's name. */
export function download(text, title, ending, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = title.replace(/[\\/:*?"<>|\p{Cc}]+/gu, " ").trim() + ending;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Lets the user pick files; returns none when the choice is left. */
export function pick({ accept = "", isMultiple = false } = {}) {
  return new Promise((resolve) => {
    const field = document.createElement("input");
    field.type = "file";
    field.accept = accept;
    field.multiple = isMultiple;
    field.onchange = () => resolve([...field.files]);
    field.oncancel = () => resolve([]);
    field.click();
  });
}
