/** Menus that open at a button, and stay on the screen. */

const GAP_PX = 4;

/** Opens a popover beside its button; a press inside closes it. */
export function openMenu(menu, button) {
  menu.showPopover({ source: button });
  placeAt(menu, button);
}

/** Places a popover beside its button whenever it opens, and closes it when something is chosen. */
export function connectMenu(menu, button = null) {
  menu.addEventListener("click", ({ target }) => {
    if (target.closest("button, a")) menu.hidePopover();
  });
  if (button) menu.addEventListener("toggle", () => placeAt(menu, button));
}

function placeAt(menu, button) {
  const { left, right, top, bottom } = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const isRightToLeft = getComputedStyle(menu).direction === "rtl";
  const wanted = isRightToLeft ? right - width : left;
  const isBelow = bottom + GAP_PX + height <= innerHeight;
  menu.style.left = `${Math.max(GAP_PX, Math.min(wanted, innerWidth - width - GAP_PX))}px`;
  menu.style.top = `${Math.max(GAP_PX, isBelow ? bottom + GAP_PX : top - height - GAP_PX)}px`;
}
