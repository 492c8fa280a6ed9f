/** A text node that hides nothing. */
import { memo } from "react";
import { pieces } from "./escape";
import css from "./ui.module.css";

type Props = {
  value: string | null | undefined;
  multiline?: boolean;
  limit?: number;
  bare?: boolean;
};

export const Text = memo(function Text({
  value,
  multiline = false,
  limit = 100_000,
  bare = false,
}: Props) {
  if (value === null || value === undefined) return null;
  const cut = value.length > limit ? `${value.slice(0, limit)}…` : value;
  const parts = pieces(cut, multiline);
  if (parts.length === 1 && parts[0] && !parts[0].escaped) {
    // In a box of its own, which isolates as well, the element would be one too many.
    return bare ? parts[0].text : <bdi>{parts[0].text}</bdi>;
  }
  return (
    <bdi>
      {parts.map((part, at) =>
        part.escaped ? (
          <span key={at} className={css.escape}>
            {part.text}
          </span>
        ) : (
          part.text
        ),
      )}
    </bdi>
  );
});
