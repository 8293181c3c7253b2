CREATE DATABASE IF NOT EXISTS {name:Identifier} {on_cluster}
