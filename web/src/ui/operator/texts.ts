/** Every word of the operator's page; apart from the others', so that people who call need not fetch them. */
import { LANGUAGES, type Translated, translationFor } from "../texts";
import { en } from "./texts/en";

export type OperatorTexts = Translated<typeof en>;

/** By ISO 639-1. A translation is added here and nowhere else. */
const TRANSLATIONS: Record<string, OperatorTexts> = { en };

export const texts: OperatorTexts = translationFor(TRANSLATIONS, LANGUAGES) ?? en;
