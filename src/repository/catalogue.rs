//! The whole catalogue in memory, kept until its version changes. Its rows are in `models`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;
use diesel::RunQueryDsl;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::sql_types::{Nullable, Text};
use uuid::Uuid;

use super::models::{self, Model};
use super::{DbConn, settings};
use crate::domain::model::{
    Category, ModelFacts, ModelId, SerialPattern, Value, search_key, value_at,
};
use crate::domain::values::{Gtin, ManufacturerCode};
use crate::error::{Error, Result};

/// The setting that counts the versions of the catalogue.
pub const VERSION: &str = "catalogue_version";

/// Which version of the catalogue a transaction sees; none before anything was put into it.
pub type Version = Option<String>;

/// The version as a column of any statement, so that seeing it costs no round trip.
pub(super) fn version() -> SqlLiteral<Nullable<Text>> {
    sql("(SELECT value FROM settings WHERE name = 'catalogue_version')")
}

/// The version of what this transaction changes in the catalogue; nobody else changes it before this ends.
pub fn next_version(conn: &mut DbConn) -> Result<i64> {
    settings::count_up(conn, VERSION)
}

/// One model with all that is known of it.
#[derive(Debug, Clone)]
pub struct CatalogueModel {
    pub row: Model,
    /// As the rules see it; its pattern is compiled once.
    pub facts: ModelFacts,
    /// Its name as it is looked through.
    pub search_key: String,
    /// In the order of their digits.
    pub gtins: Vec<Gtin>,
    values: Vec<Value>,
}

/// In which order models are found, and where that begins.
#[derive(Debug, Clone)]
pub enum Order {
    /// By name, behind this one, as it is compared.
    Name(Option<String>),
    /// By the version that they were changed in last, behind this one and this model of it.
    Change(i64, ModelId),
}

impl Order {
    /// What was changed after a version, the oldest change first.
    pub fn changed_after(version: i64) -> Self {
        Self::Change(version, Uuid::max().into())
    }
}

/// What is looked for in the catalogue.
#[derive(Debug, Clone)]
pub struct Search {
    /// Words that the name contains, each of them, as they are compared.
    pub words: Vec<String>,
    pub category: Option<Category>,
    pub gtin: Option<Gtin>,
    pub manufacturer_code: Option<ManufacturerCode>,
    pub order: Order,
    pub limit: usize,
}

impl Search {
    fn finds(&self, model: &CatalogueModel) -> bool {
        let own_code = model.row.manufacturer_code.as_deref();
        let code = self.manufacturer_code.as_ref();
        let gtin = self.gtin.as_ref();
        let mut words = self.words.iter();
        self.category.is_none_or(|it| it == model.row.category)
            && code.is_none_or(|code| Some(code.as_str()) == own_code)
            && gtin.is_none_or(|gtin| model.gtins.contains(gtin))
            && words.all(|word| model.search_key.contains(word))
    }
}

/// All models as of one version.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// None where nothing was loaded yet.
    version: Option<Version>,
    models: HashMap<ModelId, CatalogueModel>,
    names: BTreeMap<String, ModelId>,
    /// By the version that each was changed in last.
    changes: BTreeSet<(i64, ModelId)>,
    gtins: HashMap<String, ModelId>,
    codes: HashMap<String, ModelId>,
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
                gtins: Vec::new(),
                values: values.remove(&row.id).unwrap_or_default(),
                row,
            };
            catalogue.put(model);
        }
        for (gtin, id) in models::all_gtins(conn)? {
            catalogue.put_gtin(gtin, id);
        }
        Ok(catalogue)
    }

    fn put(&mut self, model: CatalogueModel) {
        let row = &model.row;
        self.names.insert(row.name_key.clone(), row.id);
        self.changes.insert((row.changed_in, row.id));
        let code = row.manufacturer_code.clone();
        self.codes.extend(code.map(|code| (code, row.id)));
        self.models.insert(row.id, model);
    }

    fn put_gtin(&mut self, gtin: Gtin, id: ModelId) {
        self.gtins.insert(gtin.as_str().to_owned(), id);
        if let Some(model) = self.models.get_mut(&id) {
            model.gtins.push(gtin);
        }
    }

    /// Its version as a count; 0 before anything was put into it.
    pub fn version(&self) -> i64 {
        let version = self.version.as_ref().and_then(Option::as_deref);
        version.and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// The model of an id.
    pub fn model(&self, id: ModelId) -> Option<&CatalogueModel> {
        self.models.get(&id)
    }

    /// The model of a name, as it is compared.
    pub fn of_name(&self, name_key: &str) -> Option<&CatalogueModel> {
        self.models.get(self.names.get(name_key)?)
    }

    /// The model of a GTIN, as it is compared.
    pub fn of_gtin(&self, gtin: &str) -> Option<&CatalogueModel> {
        self.models.get(self.gtins.get(gtin)?)
    }

    /// The model of a manufacturer's code, as it is compared.
    pub fn of_manufacturer_code(&self, code: &str) -> Option<&CatalogueModel> {
        self.models.get(self.codes.get(code)?)
    }

    /// The models that match, in their order.
    pub fn search(&self, search: &Search) -> Vec<&CatalogueModel> {
        match &search.order {
            Order::Name(after) => {
                let from = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
                let names = self.names.range::<str, _>((from, Bound::Unbounded));
                self.found(search, names.map(|(_, id)| id))
            }
            Order::Change(version, id) => {
                let from = Bound::Excluded((*version, *id));
                let changes = self.changes.range((from, Bound::Unbounded));
                self.found(search, changes.map(|(_, id)| id))
            }
        }
    }

    fn found<'a>(
        &'a self,
        search: &Search,
        ids: impl Iterator<Item = &'a ModelId>,
    ) -> Vec<&'a CatalogueModel> {
        let models = ids.filter_map(|id| self.models.get(id));
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
