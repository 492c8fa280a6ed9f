/** The places of a project, their key after `g`, and what the phone's bottom bar shows. */
import type { IconName } from "../ui/Icon";

export type PlacePath =
  | "/p/$project"
  | "/p/$project/tasks"
  | "/p/$project/catalog"
  | "/p/$project/queues"
  | "/p/$project/workers"
  | "/p/$project/schedules"
  | "/p/$project/actions"
  | "/p/$project/settings";
export type Place = { label: string; icon: IconName; key: string; to: PlacePath; phone: boolean };

export const PLACES: Place[] = [
  { label: "Now", icon: "now", key: "n", to: "/p/$project", phone: true },
  { label: "Tasks", icon: "tasks", key: "t", to: "/p/$project/tasks", phone: true },
  { label: "Catalog", icon: "catalog", key: "c", to: "/p/$project/catalog", phone: false },
  { label: "Queues", icon: "queues", key: "q", to: "/p/$project/queues", phone: true },
  { label: "Workers", icon: "workers", key: "w", to: "/p/$project/workers", phone: true },
  {
    label: "Schedules",
    icon: "schedules",
    key: "s",
    to: "/p/$project/schedules",
    phone: true,
  },
  { label: "Actions", icon: "actions", key: "a", to: "/p/$project/actions", phone: true },
  { label: "Settings", icon: "settings", key: ",", to: "/p/$project/settings", phone: false },
];
