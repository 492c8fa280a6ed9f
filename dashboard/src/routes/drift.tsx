/** What was edited here since a file declared it. The rule: nothing of an edit is given up without its values beside each other. */
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { driftPage, redeclare } from "../api/scheduleQueries";
import type { DriftField, DriftItem } from "../api/types";
import { useRefreshed } from "../schedule/acts/act";
import { Head } from "../schedule/Head";
import own from "../schedule/places.module.css";
import { useProject } from "../shell/search";
import { plain } from "../ui/escape";
import { plural } from "../ui/format";
import { say } from "../ui/notice";
import { Button, Copy, Empty, ErrorView, Skeleton, Tag } from "../ui/parts";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import css from "./page.module.css";

function Value({ text, hidden }: { text: string | null; hidden: boolean }) {
  if (hidden) return <span className={css.faint}>not visible to you</span>;
  return (
    <code>
      <Text value={text} multiline limit={2000} />
    </code>
  );
}

type FieldProps = { one: DriftField; isBusy: boolean; take: () => void };

function Field({ one, isBusy, take }: FieldProps) {
  const isHidden = one.declared === null;
  return (
    <div className={own.field} data-field={one.field}>
      <code>{one.field}</code>
      <span>
        <small>the file says</small>
        <Value text={one.declared} hidden={isHidden} />
      </span>
      <span>
        <small>
          here{one.by && ", by "}
          {one.by && <Text value={one.by} limit={80} />}{" "}
          {one.at !== null && <Time at={one.at} form="distance" />}
        </small>
        <Value text={one.now} hidden={isHidden} />
        {!isHidden && (
          <Copy text={`${one.field}: ${one.now}`} label={`${one.field} for the file`} />
        )}
      </span>
      <span>
        <Button
          aria-disabled={isBusy}
          onClick={take}
          title={`Make ${one.field} what the file says`}
        >
          Take the file’s
        </Button>
      </span>
    </div>
  );
}

function Drifted({ project, item }: { project: string; item: DriftItem }) {
  const client = useQueryClient();
  const refreshed = useRefreshed(project);
  const take = useMutation({
    mutationFn: (fields: string[]) => redeclare(project, item.id, item.revision, fields),
    onSuccess: (_, fields) => say(`${plain(item.name)}: ${fields.join(", ")} as the file says`),
    onError: (error) => say(error.message, "bad"),
    onSettled: () => {
      refreshed();
      void client.invalidateQueries({ queryKey: [project, "/schedules/drift"] });
    },
  });
  return (
    <section className={own.drifted} data-schedule={item.name}>
      <div className={own.driftHead}>
        <span>
          <Link to="/p/$project/schedules/$id" params={{ project, id: item.id }} search={{}}>
            <Text value={item.name} limit={200} />
          </Link>
        </span>
        <Tag>
          <Text value={item.owner} limit={80} />
        </Tag>
        <span className={css.faint}>
          {item.engine} · <Text value={item.app} limit={128} />
        </span>
        <span className={css.gap} />
        {item.fields.length > 1 && (
          <Button
            aria-disabled={take.isPending}
            onClick={() => take.mutate(item.fields.map((one) => one.field))}
          >
            Take all {item.fields.length} of the file
          </Button>
        )}
      </div>
      {item.fields.map((one) => (
        <Field
          key={one.field}
          one={one}
          isBusy={take.isPending}
          take={() => !take.isPending && take.mutate([one.field])}
        />
      ))}
    </section>
  );
}

export function DriftPage() {
  const project = useProject();
  const found = useInfiniteQuery({
    queryKey: [project, "/schedules/drift"],
    queryFn: ({ pageParam, signal }) => driftPage(project, pageParam, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.next ?? undefined,
  });
  const { data, error } = found;
  const items = data?.pages.flatMap((page) => page.items) ?? [];
  const declared = data?.pages[0]?.declared ?? 0;
  return (
    <div className={css.page}>
      <Head project={project} here="Drift" />
      {error && !data && <ErrorView error={error} />}
      {!data && !error && <Skeleton rows={6} />}
      {data && items.length === 0 && (
        <Empty title={declared > 0 ? "No drift" : "No schedule is declared by a file"}>
          <p>
            {declared > 0
              ? `${plural(declared, "declared schedule")}: each is what its file says.`
              : "Drift is what was edited here since `z4j schedules apply` declared it."}
          </p>
        </Empty>
      )}
      {items.length > 0 && (
        <p className={own.hint}>
          An edit made here stays when the file is applied again. To make it the rule, copy it into
          the file; to give it up, take the file’s value: that is a new revision, and the old one
          can be restored.
        </p>
      )}
      {items.map((item) => (
        <Drifted key={item.id} project={project} item={item} />
      ))}
      {found.hasNextPage && (
        <p className={css.section}>
          <Button onClick={() => void found.fetchNextPage()}>More</Button>
        </p>
      )}
    </div>
  );
}
