/** The left rail; at the bottom on a phone. */
import { Link } from "@tanstack/react-router";
import { Icon } from "../ui/Icon";
import { PLACES } from "./places";
import { useProject, useUrl } from "./search";
import css from "./shell.module.css";

export function Rail() {
  const project = useProject();
  const { range } = useUrl();
  return (
    <nav className={css.rail} aria-label="places">
      {PLACES.map((place) => (
        <Link
          key={place.label}
          to={place.to}
          params={{ project }}
          search={range === "1h" ? {} : { range }}
          activeOptions={{ exact: place.to === "/p/$project", includeSearch: false }}
          className={css.place}
          data-phone={place.phone || undefined}
          title={`${place.label}  g ${place.key}`}
        >
          <Icon name={place.icon} size={18} />
          <span>{place.label}</span>
        </Link>
      ))}
    </nav>
  );
}
