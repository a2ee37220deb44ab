module conecta.example/tests/bench/load

go 1.25.0
