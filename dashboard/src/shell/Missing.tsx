/** No such page, or a page that broke. */
import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { Empty, ErrorView } from "../ui/parts";

export function Missing() {
  return (
    <Empty title="There is no such page">
      <Link to="/">All projects</Link>
    </Empty>
  );
}

export function Failed({ error, reset }: ErrorComponentProps) {
  return <ErrorView error={error} onRetry={reset} />;
}
