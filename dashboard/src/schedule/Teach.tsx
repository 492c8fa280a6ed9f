/** What a schedule is, for a project that has none. */
import { Link } from "@tanstack/react-router";
import css from "../routes/page.module.css";
import { Icon } from "../ui/Icon";
import own from "./schedule.module.css";

const DECLARED = `# schedules.toml
tag = "shop"

[schedules.nightly]
task = "shop.report"
cron = "30 2 * * *"
tz = "America/New_York"

$ z4j schedules apply schedules.toml`;

export function Teach({ project }: { project: string }) {
  return (
    <div className={css.page}>
      <section className={own.teach}>
        <h2>No schedule yet</h2>
        <p>
          A schedule enqueues a task at times you choose. Your own workers fire it, so it goes on
          while this server is away.
        </p>
        <ol>
          <li>Choose a definition that a worker has registered, and its arguments.</li>
          <li>
            Say when: a cron text, a period, a day of each month, sunrise. The next ten fires are
            shown while you type, in its zone and in yours, with the days on which clocks change.
          </li>
          <li>Save. The leader of the group takes it over at once; nothing is restarted.</li>
        </ol>
        <div>
          <Link
            to="/p/$project/schedules/new"
            params={{ project }}
            search={{}}
            className={css.link}
            data-tone="primary"
          >
            <Icon name="plus" /> New schedule
          </Link>
        </div>
        <p>Or keep them in a file beside your code, and apply it when you deploy:</p>
        <pre>{DECLARED}</pre>
      </section>
    </div>
  );
}
