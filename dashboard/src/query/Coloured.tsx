/** The query drawn under the transparent input, token by token. */
import { memo } from "react";
import css from "./query.module.css";
import { tokenize } from "./tokenizer";

type Props = { q: string; errorColumn: number | null };

export const Coloured = memo(function Coloured({ q, errorColumn }: Props) {
  return (
    <div className={css.colours} aria-hidden="true">
      {tokenize(q).map((token) => (
        <span
          key={token.from}
          data-kind={token.kind}
          data-wrong={
            (errorColumn !== null && token.from < errorColumn && errorColumn <= token.to) ||
            undefined
          }
        >
          {token.text}
        </span>
      ))}
    </div>
  );
});
