import { Icon } from "../icons/Icon";
import { texts } from "../texts";

interface PagerProps {
  page: number;
  pages: number;
  onTurn: (page: number) => void;
}

export function Pager({ page, pages, onTurn }: PagerProps) {
  return (
    <nav className="pager" aria-label={texts.call.page(page + 1, pages)} data-testid="pager">
      <button
        type="button"
        className="pager-button"
        aria-label={texts.call.previousPage}
        disabled={page === 0}
        onClick={() => onTurn(page - 1)}
      >
        <Icon name="left" size={20} />
      </button>
      <span aria-hidden="true">
        {page + 1} / {pages}
      </span>
      <button
        type="button"
        className="pager-button"
        aria-label={texts.call.nextPage}
        disabled={page === pages - 1}
        onClick={() => onTurn(page + 1)}
      >
        <Icon name="right" size={20} />
      </button>
    </nav>
  );
}
