/** The places of the dashboard. The rule: a page is a lazy chunk, the shell is not. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from "@tanstack/react-router";
import { Home } from "./shell/Home";
import { Failed, Missing } from "./shell/Missing";
import { Shell } from "./shell/Shell";
import { parseSearch, stringifySearch, validateSearch } from "./shell/search";

const root = createRootRoute({ component: Outlet, notFoundComponent: Missing });
const home = createRoute({ getParentRoute: () => root, path: "/", component: Home });
const project = createRoute({
  getParentRoute: () => root,
  path: "/p/$project",
  validateSearch,
  component: Shell,
});
const in_ = () => project;

const pages = [
  createRoute({
    getParentRoute: in_,
    path: "/",
    component: lazyRouteComponent(() => import("./routes/now"), "NowPage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/tasks",
    component: lazyRouteComponent(() => import("./routes/tasks"), "TasksPage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/t/$ref",
    component: lazyRouteComponent(() => import("./routes/task"), "TaskPage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/catalog",
    component: lazyRouteComponent(() => import("./routes/catalog"), "CatalogPage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/catalog/$engine/$name",
    component: lazyRouteComponent(() => import("./routes/definition"), "DefinitionPage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/queues",
    component: lazyRouteComponent(() => import("./routes/queues"), "QueuesPage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/queues/$engine/$name",
    component: lazyRouteComponent(() => import("./routes/queue"), "QueuePage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/workers",
    component: lazyRouteComponent(() => import("./routes/workers"), "WorkersPage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/workers/$id",
    component: lazyRouteComponent(() => import("./routes/worker"), "WorkerPage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/schedules",
    component: lazyRouteComponent(() => import("./routes/schedules"), "SchedulesPage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/schedules/new",
    component: lazyRouteComponent(() => import("./routes/scheduleForm"), "NewSchedulePage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/schedules/fires",
    component: lazyRouteComponent(() => import("./routes/fires"), "FiresPage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/schedules/calendars",
    component: lazyRouteComponent(() => import("./routes/calendars"), "CalendarsPage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/schedules/leaders",
    component: lazyRouteComponent(() => import("./routes/leaders"), "LeadersPage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/schedules/drift",
    component: lazyRouteComponent(() => import("./routes/drift"), "DriftPage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/schedules/$id",
    component: lazyRouteComponent(() => import("./routes/schedule"), "SchedulePage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/schedules/$id/edit",
    component: lazyRouteComponent(() => import("./routes/scheduleForm"), "EditSchedulePage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/actions",
    component: lazyRouteComponent(() => import("./routes/actions"), "ActionsPage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/actions/$bulk",
    component: lazyRouteComponent(() => import("./routes/bulk"), "BulkPage"),
  }),
  createRoute({
    getParentRoute: in_,
    path: "/settings",
    component: lazyRouteComponent(() => import("./routes/settings"), "SettingsPage"),
  }),
];

export const router = createRouter({
  routeTree: root.addChildren([home, project.addChildren(pages)]),
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  defaultErrorComponent: Failed,
  defaultNotFoundComponent: Missing,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
