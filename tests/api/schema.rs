//! The tables that the code knows are those that the migrations make, on the database under test, there and back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cps_api::domain::personal_data::TABLES;
use cps_api::repository::Kind;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

use crate::raw::Raw;
use crate::support::Database;

/// A column as `src/repository/schema.rs` has it.
struct Column {
    table: &'static str,
    name: &'static str,
    /// Without its `Nullable`.
    of: &'static str,
    is_null: bool,
    /// The columns of the table's primary key.
    keys: Vec<&'static str>,
}

fn columns() -> Vec<Column> {
    let source = include_str!("../../src/repository/schema.rs");
    let mut columns = Vec::new();
    for block in source.split("diesel::table! {").skip(1) {
        let lines = block
            .lines()
            .map(str::trim)
            .skip_while(|line| !line.ends_with(") {"));
        let mut table = ("", Vec::new());
        for line in lines.take_while(|line| *line != "}") {
            if let Some((name, keys)) = line.trim_end_matches(") {").split_once(" (") {
                table = (name, keys.split(", ").collect());
                continue;
            }
            let (column, of) = line.trim_end_matches(',').split_once(" -> ").unwrap();
            let inner = of
                .strip_prefix("Nullable<")
                .and_then(|rest| rest.strip_suffix('>'));
            columns.push(Column {
                table: table.0,
                name: column.trim_start_matches("r#"),
                of: inner.unwrap_or(of),
                is_null: inner.is_some(),
                keys: table.1.clone(),
            });
        }
    }
    columns
}

/// `table.column type [null] [key]`, one for each column, as `src/repository/schema.rs` says.
fn declared(kind: Kind) -> BTreeSet<String> {
    let line = |column: Column| {
        let name = column.name;
        let null = if column.is_null { " null" } else { "" };
        let key = if column.keys.contains(&name) {
            " key"
        } else {
            ""
        };
        // What SQLite numbers rows by is an INTEGER.
        let stored = match (kind, column.of, column.keys.as_slice()) {
            (Kind::Sqlite, "BigInt", [alone]) if *alone == name => "INTEGER",
            (_, of, _) => stored_as(of, kind),
        };
        format!("{}.{name} {stored}{null}{key}", column.table)
    };
    columns().into_iter().map(line).collect()
}

/// What a column of a type of ours is in the database.
fn stored_as(name: &str, kind: Kind) -> &'static str {
    let (postgres, sqlite) = match name {
        "SqlId" => ("uuid", "TEXT"),
        "SqlInstant" => ("timestamp with time zone", "TEXT"),
        "SqlJson" => ("jsonb", "TEXT"),
        "Text" => ("text", "TEXT"),
        "BigInt" => ("bigint", "BIGINT"),
        "Bool" => ("boolean", "BOOLEAN"),
        "Date" => ("date", "DATE"),
        other => panic!("{other} is no type of ours"),
    };
    match kind {
        Kind::Postgres => postgres,
        Kind::Sqlite => sqlite,
    }
}

const POSTGRES_COLUMNS: &str = "
    SELECT c.table_name || '.' || c.column_name || ' ' || c.data_type
        || CASE c.is_nullable WHEN 'YES' THEN ' null' ELSE '' END
        || CASE WHEN k.column_name IS NULL THEN '' ELSE ' key' END AS line
    FROM information_schema.columns c
    LEFT JOIN (
        SELECT u.table_name, u.column_name FROM information_schema.key_column_usage u
        JOIN information_schema.table_constraints t USING (constraint_schema, constraint_name, table_name)
        WHERE t.constraint_type = 'PRIMARY KEY' AND u.table_schema = current_schema()
    ) k ON k.table_name = c.table_name AND k.column_name = c.column_name
    WHERE c.table_schema = current_schema()";

const SQLITE_COLUMNS: &str = "
    SELECT t.name || '.' || c.name || ' ' || c.type
        || CASE WHEN c.\"notnull\" = 0 THEN ' null' ELSE '' END
        || CASE WHEN c.pk = 0 THEN '' ELSE ' key' END AS line
    FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'";

/// The same of the database itself.
fn made(raw: &mut Raw) -> BTreeSet<String> {
    let columns = match raw.kind() {
        Kind::Postgres => raw.lines(POSTGRES_COLUMNS),
        Kind::Sqlite => raw.lines(SQLITE_COLUMNS),
    };
    let own = |line: &String| !line.starts_with("__diesel");
    columns.into_iter().filter(own).collect()
}

pub fn migrations(kind: Kind) -> PathBuf {
    let name = match kind {
        Kind::Postgres => "postgres",
        Kind::Sqlite => "sqlite",
    };
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations")
        .join(name)
}

/// The text of every `up.sql`, in order.
fn up(kind: Kind) -> String {
    let folders = std::fs::read_dir(migrations(kind)).unwrap();
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let texts = folders
        .iter()
        .map(|folder| std::fs::read_to_string(folder.join("up.sql")).unwrap());
    texts.collect()
}

/// The name of every unique constraint and index that a text of SQL declares, but for those of tables that it drops after.
fn unique_names(sql: &str) -> BTreeSet<String> {
    let words: Vec<&str> = sql
        .split(|c: char| c.is_whitespace() || matches!(c, '(' | ',' | ';'))
        .filter(|word| !word.is_empty())
        .collect();
    let mut names = BTreeSet::new();
    for four in words.windows(4) {
        match four {
            ["CONSTRAINT", name, "UNIQUE", ..] | ["CREATE", "UNIQUE", "INDEX", name] => {
                names.insert((*name).to_owned());
            }
            ["DROP", "CONSTRAINT", name, ..] => {
                names.remove(*name);
            }
            ["DROP", "TABLE", table, ..] => {
                names.retain(|name| !name.starts_with(&format!("{table}_")));
            }
            _ => {}
        }
    }
    names
}

#[test]
fn the_code_knows_every_column_as_the_database_has_it() {
    let database = Database::create();
    let mut raw = Raw::migrated(&database);
    let (declared, made) = (declared(raw.kind()), made(&mut raw));
    let unknown: Vec<_> = made.difference(&declared).collect();
    let missing: Vec<_> = declared.difference(&made).collect();
    assert!(
        unknown.is_empty() && missing.is_empty(),
        "only in the database: {unknown:#?}, only in schema.rs: {missing:#?}"
    );
    assert!(declared.len() > 250, "{}", declared.len());
}

#[test]
fn every_column_is_listed_as_personal_or_not() {
    // What says nothing of a person by itself.
    let tells = |column: &Column| !["SqlId", "SqlInstant", "Bool"].contains(&column.of);
    let declared: Vec<String> = columns()
        .iter()
        .filter(|column| tells(column))
        .map(|column| format!("{}.{}", column.table, column.name))
        .collect();
    let mut listed = Vec::new();
    for table in TABLES {
        let personal = table.personal.iter().map(|one| one.column);
        let all = personal.chain(table.other.split_whitespace());
        listed.extend(all.map(|column| format!("{}.{column}", table.name)));
    }
    let tables: BTreeSet<&str> = columns().iter().map(|column| column.table).collect();
    assert_eq!(
        tables,
        TABLES.iter().map(|table| table.name).collect(),
        "personal_data::TABLES names every table"
    );
    let (mut declared, mut listed) = (declared, listed);
    declared.sort();
    listed.sort();
    assert_eq!(
        declared, listed,
        "left: schema.rs, right: personal_data::TABLES, each column once"
    );
}

#[test]
fn what_is_unique_is_named_by_its_table_and_column_on_both() {
    let database = Database::create();
    let mut raw = Raw::migrated(&database);
    let [sqlite, postgres] = [Kind::Sqlite, Kind::Postgres].map(|kind| unique_names(&up(kind)));
    assert_eq!(sqlite, postgres);
    let found: Vec<String> = match raw.kind() {
        // A constraint in a table has no name of its own in SQLite: its text has to say it.
        Kind::Sqlite => raw.lines(
            "SELECT t.name || ' ' || i.name || ' ' || i.origin || ' ' || group_concat(c.name, ' ') AS line
             FROM sqlite_master t JOIN pragma_index_list(t.name) i JOIN pragma_index_info(i.name) c
             WHERE t.type = 'table' AND i.\"unique\" AND i.origin <> 'pk' AND t.name NOT LIKE '__diesel%'
             GROUP BY t.name, i.name",
        ),
        Kind::Postgres => raw.lines(
            "SELECT t.relname || ' ' || i.relname || ' c '
                || string_agg(a.attname, ' ' ORDER BY array_position(x.indkey::int[], a.attnum::int)) AS line
             FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (x.indkey)
             WHERE x.indisunique AND NOT x.indisprimary AND t.relnamespace = current_schema()::regnamespace
             GROUP BY t.relname, i.relname",
        ),
    };
    assert_eq!(found.len(), postgres.len(), "{found:#?}");
    for line in &found {
        let parts: Vec<&str> = line.split(' ').collect();
        let [table, name, origin, columns @ ..] = parts.as_slice() else {
            panic!("{line}");
        };
        let fits = |column: &&str| {
            let wanted = format!("{table}_{column}_key");
            postgres.contains(&wanted) && (*origin == "u" || *name == wanted)
        };
        assert!(columns.iter().any(fits), "{line}");
    }
}

/// Everything that the migrations made, as text.
fn dump(raw: &mut Raw) -> Vec<String> {
    match raw.kind() {
        Kind::Sqlite => raw.lines(
            "SELECT COALESCE(sql, name) AS line FROM sqlite_master
             WHERE tbl_name NOT LIKE '__diesel%' AND tbl_name NOT LIKE 'sqlite%' ORDER BY type, name",
        ),
        Kind::Postgres => {
            let mut all = raw.lines(POSTGRES_COLUMNS);
            for sql in [
                "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) AS line
                 FROM pg_constraint WHERE connamespace = current_schema()::regnamespace",
                "SELECT indexdef AS line FROM pg_indexes WHERE schemaname = current_schema()",
                "SELECT pg_get_functiondef(oid) AS line FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
                 AND proname NOT LIKE 'diesel%'",
                "SELECT pg_get_triggerdef(t.oid) AS line FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                 WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace",
            ] {
                all.extend(raw.lines(sql));
            }
            all.retain(|line| !line.contains("__diesel"));
            all.sort();
            all
        }
    }
}

fn revert(raw: &mut Raw) {
    let source = FileBasedMigrations::from_path(migrations(raw.kind())).unwrap();
    cps_api::each!(&mut raw.0, c => c.revert_all_migrations(source).map(drop)).unwrap();
}

#[test]
fn every_migration_goes_back_and_comes_again() {
    let database = Database::create();
    let mut raw = Raw::migrated(&database);
    let before = dump(&mut raw);
    revert(&mut raw);
    assert_eq!(dump(&mut raw), Vec::<String>::new());
    let source = FileBasedMigrations::from_path(migrations(raw.kind())).unwrap();
    cps_api::each!(&mut raw.0, c => c.run_pending_migrations(source).map(drop)).unwrap();
    assert_eq!(dump(&mut raw), before);
    assert!(before.len() > 20);
}
