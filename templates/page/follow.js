/** Keeps the end of a growing page in view, until the reader scrolls up. */

const NEAR_PX = 24;

/** Follows the end of `content`; `button` appears while the end is out of view. */
export class Follower {
  #page = document.scrollingElement;
  #button;
  #isFollowing = true;
  #top = 0;
  #height = 0;

  constructor(content, button) {
    this.#button = button;
    button.addEventListener("click", () => this.follow());
    addEventListener("scroll", () => this.#notice(), { passive: true });
    addEventListener("resize", () => this.#keepUp());
    new ResizeObserver(() => this.#keepUp()).observe(content);
  }

  /** Goes to the end and stays there. */
  follow() {
    this.#isFollowing = true;
    this.#keepUp();
  }

  #keepUp() {
    if (this.#isFollowing) this.#page.scrollTop = this.#page.scrollHeight;
    this.#notice();
  }

  #notice() {
    const { scrollTop, scrollHeight, clientHeight } = this.#page;
    const isNearEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    const wentUp = scrollTop < this.#top && scrollHeight >= this.#height;
    if (wentUp) this.#isFollowing = false;
    else if (isNearEnd) this.#isFollowing = true;
    this.#top = scrollTop;
    this.#height = scrollHeight;
    this.#button.hidden = isNearEnd;
  }
}
