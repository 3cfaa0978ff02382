#pragma once

// What all the measured handlers do: they put a part of their event into a database.

#include <string>

class database {
 public:
  void insert(int id, const std::string& name);
};

database& get_database();

#define MSGBUS_TEN(once) \
  once(1) once(2) once(3) once(4) once(5) once(6) once(7) once(8) once(9) once(10)
