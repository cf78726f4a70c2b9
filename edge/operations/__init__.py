"""Operations of client applications: read from files, registered, and compared with the schema."""
