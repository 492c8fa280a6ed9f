/** A section that may break alone. The rule: what cannot be drawn says so in its own place, the page stays. */
import { Component, type ReactNode } from "react";
import { Text } from "./Text";
import css from "./ui.module.css";

type Props = { name: string; children: ReactNode };
type State = { failure: string | null };

export class Part extends Component<Props, State> {
  override state: State = { failure: null };

  static getDerivedStateFromError(error: unknown): State {
    return { failure: error instanceof Error ? error.message : String(error) };
  }

  override render(): ReactNode {
    const { failure } = this.state;
    if (failure === null) return this.props.children;
    return (
      <div role="alert" className={css.broken}>
        <strong>The {this.props.name} cannot be shown.</strong>
        <code>
          <Text value={failure} limit={400} />
        </code>
        <button type="button" onClick={() => this.setState({ failure: null })}>
          Try again
        </button>
      </div>
    );
  }
}
