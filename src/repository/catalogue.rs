//! The whole catalogue in memory, kept until its version changes. Its rows are in `models`.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;
use diesel::RunQueryDsl;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::sql_types::{Nullable, Text};

use super::models::{self, Model};
use super::{DbConn, settings};
use crate::domain::model::{
    Category, ModelFacts, ModelId, SerialPattern, Value, search_key, value_at,
};
use crate::error::{Error, Result};

/// The setting that says which version of the catalogue stands.
const VERSION: &str = "catalogue_version";

/// Which version of the catalogue a transaction sees; none before anything was put into it.
pub type Version = Option<String>;

/// The version as a column of any statement, so that seeing it costs no round trip.
pub(super) fn version() -> SqlLiteral<Nullable<Text>> {
    sql("(SELECT value FROM settings WHERE name = 'catalogue_version')")
}

/// Says that this transaction has changed the catalogue; `version` is a word that was never used before.
pub fn change(conn: &mut DbConn, version: &str) -> Result<()> {
    settings::put(conn, VERSION, version)
}

/// One model with all that is known of it.
#[derive(Debug, Clone)]
pub struct CatalogueModel {
    pub row: Model,
    /// As the rules see it; its pattern is compiled once.
    pub facts: ModelFacts,
    /// Its name as it is looked through.
    pub search_key: String,
    values: Vec<Value>,
}

/// What is looked for in the catalogue.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Words that the name contains, each of them, as they are compared.
    pub words: Vec<String>,
    pub category: Option<Category>,
    /// The name, as it is compared, that the page begins behind.
    pub after: Option<String>,
    pub limit: usize,
}

impl Search {
    fn finds(&self, model: &CatalogueModel) -> bool {
        let category = self.category.is_none_or(|it| it == model.row.category);
        category
            && self
                .words
                .iter()
                .all(|word| model.search_key.contains(word))
    }
}

/// All models as of one version.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// None where nothing was loaded yet.
    version: Option<Version>,
    models: HashMap<ModelId, CatalogueModel>,
    names: BTreeMap<String, ModelId>,
}

impl Catalogue {
    fn load(conn: &mut DbConn, version: Version) -> Result<Self> {
        let mut values = models::all_values(conn)?;
        let mut patterns: HashMap<String, SerialPattern> = HashMap::new();
        let mut catalogue = Self {
            version: Some(version),
            ..Self::default()
        };
        for row in models::all(conn)? {
            let pattern = row.serial_pattern.as_ref().map(|text| {
                let new = || SerialPattern::new(text.as_str());
                patterns.entry(text.clone()).or_insert_with(new).clone()
            });
            let model = CatalogueModel {
                facts: ModelFacts {
                    serial_pattern: pattern,
                    ..row.facts()
                },
                search_key: search_key(&row.name),
                values: values.remove(&row.id).unwrap_or_default(),
                row,
            };
            let (id, name) = (model.row.id, model.row.name_key.clone());
            catalogue.names.insert(name, id);
            catalogue.models.insert(id, model);
        }
        Ok(catalogue)
    }

    /// The model of an id.
    pub fn model(&self, id: ModelId) -> Option<&CatalogueModel> {
        self.models.get(&id)
    }

    /// The model of a name, as it is compared.
    pub fn of_name(&self, name_key: &str) -> Option<&CatalogueModel> {
        self.models.get(self.names.get(name_key)?)
    }

    /// The models that match, by name.
    pub fn search(&self, search: &Search) -> Vec<&CatalogueModel> {
        let after = search.after.as_deref();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let names = self.names.range::<str, _>((from, Bound::Unbounded));
        let models = names.filter_map(|(_, id)| self.models.get(id));
        let found = models.filter(|model| search.finds(model));
        found.take(search.limit).collect()
    }

    /// What a model is worth on `date`; none before its first value.
    pub fn value(&self, id: ModelId, date: NaiveDate) -> Option<Value> {
        value_at(&self.models.get(&id)?.values, date)
    }
}

/// The catalogue that was loaded last, shared by all who look into it.
#[derive(Debug, Clone, Default)]
pub struct CatalogueCache(Arc<Mutex<Arc<Catalogue>>>);

impl CatalogueCache {
    /// The catalogue that was loaded last, of whatever version: without a statement, but for the first time. Whoever decides by it calls
    /// [`confirm`](Self::confirm) or is told the version by another statement.
    pub fn last(&self, conn: &mut DbConn) -> Result<Arc<Catalogue>> {
        let loaded = self.loaded();
        match loaded.version {
            Some(_) => Ok(loaded),
            None => self.current(conn),
        }
    }

    fn loaded(&self) -> Arc<Catalogue> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The catalogue that this transaction sees: one statement where it was loaded before.
    pub fn current(&self, conn: &mut DbConn) -> Result<Arc<Catalogue>> {
        let version = diesel::select(version()).get_result(conn)?;
        self.of_version(conn, version)
    }

    /// The catalogue of a version that this transaction sees; without a statement where it was loaded before.
    pub fn of_version(&self, conn: &mut DbConn, version: Version) -> Result<Arc<Catalogue>> {
        let last = self.loaded();
        if last.version.as_ref() == Some(&version) {
            return Ok(last);
        }
        // What is read after the version may be newer than it, never older: the next look finds out.
        let loaded = Arc::new(Catalogue::load(conn, version)?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = loaded.clone();
        Ok(loaded)
    }

    /// `Contended` where what was decided by `used` was decided by an old version: the work is repeated with the one that stands.
    pub fn confirm(&self, conn: &mut DbConn, used: &Catalogue) -> Result<()> {
        let version = settings::get(conn, VERSION)?;
        self.confirm_version(conn, used, version)
    }

    /// As [`confirm`](Self::confirm), with the version that a statement has brought along.
    pub fn confirm_version(
        &self,
        conn: &mut DbConn,
        used: &Catalogue,
        version: Version,
    ) -> Result<()> {
        if used.version.as_ref() == Some(&version) {
            return Ok(());
        }
        self.of_version(conn, version)?;
        Err(Error::Contended)
    }
}
