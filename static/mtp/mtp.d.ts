/** Types of the one global that mtp.js makes; see docs/tracker.md. */

/** What may be used of this visitor; only at "full" is anything sent or kept. */
type MtpConsentLevel = "full" | "contextual" | "non-personal";

interface MtpTracker {
  /** Record an event under a name of Segment's e-commerce specification, or one of your own. False: not allowed. */
  track(name: string, properties?: Record<string, unknown>): boolean;

  /** Record a page view, and what the page says of itself; for pages that change without loading. */
  page(name?: string, properties?: Record<string, unknown>): boolean;

  /** Fill every place of a block anew; settled when all are. */
  refresh(): Promise<void>;

  /** What may be used from now on, where a consent manager and not our banner asks; places are filled anew. */
  consent(level: MtpConsentLevel): void;
}

interface Window {
  mtp: MtpTracker;
}

declare const mtp: MtpTracker;

interface HTMLElementTagNameMap {
  /** A place for a block; the attributes of `data-mtp-block` without their `data-mtp-`, and `placement`. */
  "mtp-block": HTMLElement;
}

interface DocumentEventMap {
  /** The visitor has chosen; `detail` is the level from now on. */
  "mtp:consent": CustomEvent<MtpConsentLevel>;

  /** The page is hidden, left, or becomes another; `detail` is the product in view. What is tracked now is still sent. */
  "mtp:leave": CustomEvent<string | undefined>;
}
