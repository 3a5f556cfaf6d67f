-- What an operator turned on or off while gateways run. A row outweighs the setting of every gateway.
CREATE TABLE feature_flags (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);
