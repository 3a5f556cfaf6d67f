//! Values as columns hold them.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use signalling::Timestamp;
use signalling::text::Text;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Query, map};
use crate::StoreError;

/// Reads a row by the names of its columns.
pub(super) struct Reader<'r>(pub(super) &'r AnyRow);

impl Reader<'_> {
    pub(super) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.0.try_get(column).map_err(map)
    }

    pub(super) fn text_opt(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.0.try_get(column).map_err(map)
    }

    pub(super) fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        self.0.try_get(column).map_err(map)
    }

    pub(super) fn bytes_opt(&self, column: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.try_get(column).map_err(map)
    }

    pub(super) fn real_opt(&self, column: &'static str) -> Result<Option<f64>, StoreError> {
        self.0.try_get(column).map_err(map)
    }

    fn long_opt(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.0.try_get(column).map_err(map)
    }

    /// A number of any size that the column's values fit.
    pub(super) fn number<T: TryFrom<i64> + Default>(&self, column: &'static str) -> Result<T, StoreError> {
        Ok(self.number_opt(column)?.unwrap_or_default())
    }

    pub(super) fn number_opt<T: TryFrom<i64>>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        let number = self.long_opt(column)?;
        let read = |number| T::try_from(number).map_err(|_| StoreError::corrupt(column));
        number.map(read).transpose()
    }

    pub(super) fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        Ok(self.number::<i64>(column)? != 0)
    }

    pub(super) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_unix_millis(self.number(column)?))
    }

    pub(super) fn time_opt(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.number_opt(column)?.map(Timestamp::from_unix_millis))
    }

    /// An id.
    pub(super) fn id<T: FromStr>(&self, column: &'static str) -> Result<T, StoreError> {
        self.text(column)?
            .parse()
            .map_err(|_| StoreError::corrupt(column))
    }

    pub(super) fn id_opt<T: FromStr>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        let read = |text: String| text.parse().map_err(|_| StoreError::corrupt(column));
        self.text_opt(column)?.map(read).transpose()
    }

    /// One of an enum's words.
    pub(super) fn word<T>(
        &self,
        column: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        read(&self.text(column)?).ok_or_else(|| StoreError::corrupt(column))
    }

    pub(super) fn word_opt<T>(
        &self,
        column: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let read = |word: String| read(&word).ok_or_else(|| StoreError::corrupt(column));
        self.text_opt(column)?.map(read).transpose()
    }

    /// A name.
    pub(super) fn name(&self, column: &'static str) -> Result<Text, StoreError> {
        self.word(column, |text| Text::new(text).ok())
    }

    pub(super) fn name_opt(&self, column: &'static str) -> Result<Option<Text>, StoreError> {
        self.word_opt(column, |text| Text::new(text).ok())
    }

    pub(super) fn json_opt<T: DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let read = |text: String| serde_json::from_str(&text).map_err(|_| StoreError::corrupt(column));
        self.text_opt(column)?.map(read).transpose()
    }
}

/// A time as a column holds it.
pub(super) fn millis(time: Timestamp) -> i64 {
    long(time.unix_millis())
}

/// A count as a column holds it: 9 · 10¹⁸ at most, which no count of bytes reaches.
pub(super) fn long(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Binds a fraction that may be absent. `sqlx` 0.9.0 mixes up the types of an absent `f32` and an absent `f64`, and
/// PostgreSQL keeps the type that it saw first for all later uses of a statement; the contract suite would notice if
/// this became wrong.
pub(super) fn bind_real(query: Query, value: Option<f64>) -> Query {
    match value {
        Some(value) => query.bind(value),
        None => query.bind(None::<f32>),
    }
}

/// A text as a column holds it. PostgreSQL has no NUL, and nobody misses it.
pub(super) fn plain(text: &str) -> String {
    text.replace('\0', "")
}

/// A value as a column of JSON holds it.
pub(super) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data without maps of other keys than texts becomes JSON")
}
