/** Boot: theme before paint, the one-time link, then the page. The layer order must come first. */
import "./theme/tokens.css";
import "./theme/base.css";
import { MutationCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";
import { Problem, tradeFragmentLink } from "./api/http";
import { router } from "./router";
import { applyTheme, followSystemTheme } from "./theme/theme";
import { say } from "./ui/notice";

applyTheme();
followSystemTheme();

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) =>
        failures < 1 && error instanceof Problem && (error.status === 0 || error.status >= 500),
    },
  },
  mutationCache: new MutationCache({ onError: (error) => say(error.message, "bad") }),
});

async function boot(): Promise<void> {
  await tradeFragmentLink();
  const root = document.getElementById("root");
  if (!root) return;
  createRoot(root).render(
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
}

void boot();
