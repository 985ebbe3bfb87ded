"""Bodies in other forms than JSON: XML, tables, multipart, calendar objects. Bytes in, plain data out, and back."""
