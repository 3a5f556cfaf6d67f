import { Icon } from "../icons/Icon";
import { texts } from "../texts";
import { Field } from "./Field";

interface LanguageSelectProps {
  label: string;
  value: string;
  testId: string;
  onChoose: (language: string) => void;
}

export function LanguageSelect({ label, value, testId, onChoose }: LanguageSelectProps) {
  return (
    <Field label={label}>
      {(field) => (
        <span className="select select-large">
          <Icon name="globe" size={20} />
          <select
            {...field}
            data-testid={testId}
            value={value}
            onChange={(event) => onChoose(event.target.value)}
          >
            {Object.entries(texts.languages).map(([code, name]) => (
              <option key={code} value={code} lang={code}>
                {name}
              </option>
            ))}
          </select>
        </span>
      )}
    </Field>
  );
}
